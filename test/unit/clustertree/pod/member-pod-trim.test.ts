import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { trimMemberPod } from '../../../../src/clustertree/pod/member-pod-trim.js';
import { diffPod } from '../../../../src/clustertree/pod/update.js';
import { deepFreeze, memberPod } from '../../../support/pods.js';

const REQUESTS = { requests: { cpu: '1', memory: '1Gi' } };

const FULL: Pod = deepFreeze(
  memberPod({
    spec: {
      nodeName: 'node-1',
      activeDeadlineSeconds: 60,
      tolerations: [{ key: 'a', operator: 'Exists' }],
      resources: REQUESTS,
      volumes: [{ name: 'data', emptyDir: {} }],
      containers: [
        {
          name: 'main',
          image: 'app:1',
          resources: REQUESTS,
          env: [{ name: 'A', value: 'b' }],
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
          livenessProbe: { tcpSocket: { port: 80 } },
        },
        { name: 'bare' },
      ],
      initContainers: [{ name: 'init', image: 'init:1', command: ['true'] }],
      ephemeralContainers: [{ name: 'debug', image: 'busybox', command: ['sh'] }],
    },
    status: { phase: 'Running', podIP: '10.0.0.1' },
  }),
);

describe('trimMemberPod', () => {
  it('keeps of the spec what may change after creation, and the node', () => {
    expect(trimMemberPod(FULL).spec).to.deep.equal({
      nodeName: 'node-1',
      activeDeadlineSeconds: 60,
      tolerations: [{ key: 'a', operator: 'Exists' }],
      resources: REQUESTS,
      containers: [{ name: 'main', image: 'app:1', resources: REQUESTS }, { name: 'bare' }],
      initContainers: [{ name: 'init', image: 'init:1' }],
      ephemeralContainers: [{ name: 'debug' }],
    });
  });

  it('keeps metadata and status whole', () => {
    const { metadata, status } = trimMemberPod(FULL);
    expect({ metadata, status }).to.deep.equal({ metadata: FULL.metadata, status: FULL.status });
  });

  it('adds nothing that the pod has not', () => {
    const bare = memberPod({ spec: { containers: [{ name: 'main' }] } });
    expect(trimMemberPod(bare)).to.deep.equal(bare);
    expect(trimMemberPod({})).to.deep.equal({});
  });

  for (const [what, change] of [
    ['an image', { containers: [{ name: 'main', image: 'app:2', resources: REQUESTS }] }],
    ['an image of an init container', { initContainers: [{ name: 'init', image: 'init:2' }] }],
    ['a shorter deadline', { activeDeadlineSeconds: 30 }],
    ['a new toleration', { tolerations: [{ key: 'b', operator: 'Exists' }] }],
    ['a new debug container', { ephemeralContainers: [{ name: 'debug-2', image: 'busybox' }] }],
    ['a resize', { containers: [{ name: 'main', image: 'app:1', resources: { requests: { cpu: '2' } } }] }],
    ['nothing', {}],
  ] as const) {
    it(`leaves the difference that ${what} makes`, () => {
      const wanted: Pod = { ...FULL, spec: { containers: [], ...FULL.spec, ...change } };
      const difference = diffPod(wanted, FULL, 'pending');
      expect(diffPod(wanted, trimMemberPod(FULL), 'pending')).to.deep.equal(difference);
      expect(difference === undefined).to.equal(what === 'nothing');
    });
  }
});

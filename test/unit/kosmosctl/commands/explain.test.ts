import { expect } from 'chai';
import { parse } from 'yaml';
import type { Event, Pod } from '../../../../src/apis/core.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { events, nodes, pods, secrets } from '../../../../src/kube/resource.js';
import { CliFederation, clusterOf, NAMESPACE, seedReady, virtualNode } from '../../../support/cli-federation.js';

const NODE = 'kosmos-m';

function hostPod(more: Partial<Pod> = {}): Pod {
  return {
    metadata: { namespace: 'default', name: 'web', uid: 'web-uid' },
    spec: { containers: [], nodeName: NODE },
    status: { phase: 'Running', podIP: 'fd00::1:5' },
    ...more,
  };
}

describe('kosmosctl explain pod', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
  });

  afterEach(() => federation.close());

  function seedCredential(kubeconfig = federation.memberServer.kubeconfig()): void {
    federation.host.seed(secrets, {
      metadata: { namespace: NAMESPACE, name: 'kosmos-member-m' },
      data: { kubeconfig: Buffer.from(kubeconfig).toString('base64') },
    });
  }

  function seedCopy(more: Partial<Pod> = {}): void {
    const annotations = { 'kosmos.io/host-uid': 'web-uid' };
    federation.member.seed(pods, {
      ...hostPod({ spec: { containers: [], nodeName: 'worker-1' } }),
      metadata: { namespace: 'default', name: 'web', uid: 'copy', annotations },
      ...more,
    });
  }

  async function explain(line = 'explain pod web'): Promise<string> {
    const { code, out, err } = await federation.run(line);
    expect([code, err]).to.deep.equal([0, '']);
    return out;
  }

  it('shows both sides of a pod that runs', async () => {
    seedReady(federation.host, 'm');
    seedCredential();
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-12-31T20:00:00Z' }];
    federation.host.seed(pods, hostPod({ status: { phase: 'Running', podIP: 'fd00::1:5', conditions } }));
    seedCopy({ status: { phase: 'Running', podIP: 'fd00::1:5', conditions } });
    expect(await explain()).to.equal(
      [
        'default/web: it is Running in m, as it should be',
        '',
        '  node       kosmos-m',
        '  in host    Running, ready since 4h, fd00::1:5',
        '  in m       Running, ready since 4h, fd00::1:5, on worker-1',
        '',
      ].join('\n'),
    );
  });

  it('is a document for machines', async () => {
    seedReady(federation.host, 'm');
    seedCredential();
    federation.host.seed(pods, hostPod());
    seedCopy({ status: { phase: 'Pending' } });
    const document = parse(await explain('explain pod web -o yaml')) as Record<string, unknown>;
    expect(document).to.deep.include({
      pod: 'default/web',
      node: NODE,
      cluster: 'm',
      host: { phase: 'Running', podIP: 'fd00::1:5', node: NODE },
      member: { phase: 'Pending', podIP: null, node: 'worker-1' },
    });
    expect(JSON.parse(await explain('explain pod web -o json'))).to.deep.equal(document);
  });

  it('has null for a side that there is not', async () => {
    federation.host.seed(pods, hostPod({ spec: { containers: [] }, status: { phase: 'Pending' } }));
    expect(JSON.parse(await explain('explain pod web -o json'))).to.deep.include({
      node: null,
      cluster: null,
      member: null,
      host: { phase: 'Pending', podIP: null, node: null },
      verdict: 'it waits for a node',
    });
  });

  it('says what to do for a pod that waits for a node', async () => {
    federation.host.seed(nodes, virtualNode(NODE, 'm'));
    federation.host.seed(pods, hostPod({ spec: { containers: [] }, status: { phase: 'Pending' } }));
    const out = await explain();
    expect(out).to.contain('  node       <none>\n').and.contain('What to do:\n  To run in members it must tolerate');
  });

  it('does not look into members for a pod of the host itself', async () => {
    federation.host.seed(nodes, { metadata: { name: NODE } });
    federation.host.seed(pods, hostPod());
    expect(await explain()).to.contain('it runs on kosmos-m, a node of the host itself');
    expect(federation.member.calls).to.deep.equal([]);
  });

  it('sees that the pod is being deleted', async () => {
    federation.host.seed(nodes, { metadata: { name: NODE } });
    const metadata = { ...hostPod().metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    federation.host.seed(pods, hostPod({ metadata }));
    expect(await explain()).to.match(/in host {4}Running, not ready, fd00::1:5, being deleted\n/);
  });

  describe('when it can not look into the member', () => {
    beforeEach(() => {
      seedReady(federation.host, 'm');
      federation.host.seed(pods, hostPod());
    });

    const reasons: readonly (readonly [string, () => void, RegExp])[] = [
      [
        'the Secret is missing',
        () => undefined,
        /the Secret kosmos-system\/kosmos-member-m with the kubeconfig of m is missing/,
      ],
      [
        'nobody answers there',
        () => seedCredential(federation.memberServer.kubeconfig().replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1')),
        /the API server of the m \(http:\/\/127\.0\.0\.1:1\) can't be reached/,
      ],
      ['its kubeconfig is broken', () => seedCredential('clusters: ['), /the kubeconfig is not valid: document:/],
      [
        'the member refuses the token',
        () => {
          seedCredential();
          federation.member.fail({ error: new ApiError({ code: 401, reason: 'Unauthorized' }), times: 9 });
        },
        /doesn't accept the credential/,
      ],
    ];
    for (const [what, prepare, said] of reasons) {
      it(`since ${what}, it says so and ends well`, async () => {
        prepare();
        const out = await explain();
        expect(out)
          .to.match(/^default\/web: nobody could look into m\n/)
          .and.match(said);
        expect(out).not.to.contain('token-of-somebody');
      });
    }

    it('since the kubeconfig names a program, it does not run that', async () => {
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/false' };
      const kubeconfig = JSON.parse(federation.memberServer.kubeconfig()) as { users: object[] };
      kubeconfig.users = [{ name: 'c', user: { exec } }];
      seedCredential(JSON.stringify(kubeconfig));
      expect(await explain())
        .to.contain('nobody could look into m')
        .and.contain('exec');
    });
  });

  it('is not confused by a member that is not ready', async () => {
    federation.host.seed(clusters, clusterOf('m', ['False', 'ProbeTimeout', 'no answer']));
    federation.host.seed(nodes, virtualNode(NODE, 'm', 'Unknown'));
    federation.host.seed(pods, hostPod());
    const out = await explain();
    expect(out).to.contain('its member m is not ready').and.contain('Why:\n  ProbeTimeout: no answer\n');
  });

  describe('of Events', () => {
    function seedEvent(index: number, more: Partial<Event> = {}): void {
      const second = String(index).padStart(2, '0');
      federation.host.seed(events, {
        metadata: { namespace: 'default', name: `e${10 - index}` },
        involvedObject: { uid: 'web-uid' },
        ...{ type: 'Normal', reason: `R${index}`, message: 'words', lastTimestamp: `2025-12-31T23:00:${second}Z` },
        ...more,
      });
    }
    beforeEach(() => {
      federation.host.seed(nodes, { metadata: { name: NODE } });
      federation.host.seed(pods, hostPod());
    });

    it('shows the last eight, the oldest first', async () => {
      for (let index = 0; index < 10; index += 1) seedEvent(index);
      const shown = [...(await explain()).matchAll(/Normal (R\d)/g)].map(([, reason]) => reason);
      expect(shown).to.deep.equal(['R2', 'R3', 'R4', 'R5', 'R6', 'R7', 'R8', 'R9']);
    });

    it('takes those of the pod itself, not of an earlier one of that name', async () => {
      seedEvent(1, { involvedObject: { uid: 'earlier' } });
      expect(await explain()).not.to.contain('Events:');
    });
  });

  it('ends with an error for a pod that is not there', async () => {
    const { code, out, err } = await federation.run('explain pod web -n other');
    expect([code, out, err]).to.deep.equal([
      1,
      '',
      'error: there is no pod web in the namespace other of the host\nName its namespace with --namespace.\n',
    ]);
  });
});

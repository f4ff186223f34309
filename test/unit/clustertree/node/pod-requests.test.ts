import { expect } from 'chai';
import type { Container, Pod, PodSpec, PodStatus } from '../../../../src/apis/core.js';
import { podRequests } from '../../../../src/clustertree/node/pod-requests.js';
import { formatResources } from '../../../../src/lib/resource-list.js';
import { container } from '../../../support/member-objects.js';

type Amounts = Readonly<Record<string, string>>;

const pod = (spec: Partial<PodSpec>, status?: PodStatus): Pod => ({
  spec: { containers: [], ...spec },
  ...(status && { status }),
});
const requestsOf = (value: Pod): Amounts => formatResources(podRequests(value));
const sidecar = (name: string, requests: Amounts): Container => container(name, requests, { restartPolicy: 'Always' });
const status = (name: string, actuated: Amounts | undefined, allocated?: Amounts): NonNullable<PodStatus> => ({
  containerStatuses: [containerStatus(name, actuated, allocated)],
});
const containerStatus = (
  name: string,
  actuated: Amounts | undefined,
  allocated?: Amounts,
): NonNullable<PodStatus['containerStatuses']>[number] => ({
  name,
  image: '',
  imageID: '',
  ready: true,
  restartCount: 0,
  ...(actuated && { resources: { requests: actuated } }),
  ...(allocated && { allocatedResources: allocated }),
});
const resizePending = (reason: string): NonNullable<PodStatus['conditions']> => [
  { type: 'PodResizePending', status: 'True', reason },
];

describe('podRequests', () => {
  const table: readonly (readonly [string, Partial<PodSpec>, Amounts])[] = [
    ['nothing for a pod without requests', { containers: [{ name: 'a' }] }, {}],
    [
      'the sum of the containers',
      { containers: [container('a', { cpu: '100m', memory: '64Mi' }), container('b', { cpu: '200m' })] },
      { cpu: '300m', memory: '64Mi' },
    ],
    [
      'an init container that needs more than the containers',
      { containers: [container('a', { cpu: '100m' })], initContainers: [container('i', { cpu: '1' })] },
      { cpu: '1' },
    ],
    [
      'the largest init container, not their sum',
      { initContainers: [container('i', { cpu: '1' }), container('j', { cpu: '2' })] },
      { cpu: '2' },
    ],
    [
      'each resource by itself',
      {
        containers: [container('a', { cpu: '2', memory: '1Gi' })],
        initContainers: [container('i', { cpu: '1', memory: '4Gi' })],
      },
      { cpu: '2', memory: '4Gi' },
    ],
    [
      'sidecars on top of the containers',
      { containers: [container('a', { cpu: '1' })], initContainers: [sidecar('s', { cpu: '500m' })] },
      { cpu: '1500m' },
    ],
    [
      'an init container together with the sidecars before it only',
      {
        containers: [container('a', { cpu: '1' })],
        initContainers: [sidecar('s', { cpu: '500m' }), container('i', { cpu: '2' }), sidecar('t', { cpu: '250m' })],
      },
      { cpu: '2500m' },
    ],
    [
      'overhead',
      { containers: [container('a', { cpu: '1' })], overhead: { cpu: '250m', memory: '120Mi' } },
      { cpu: '1250m', memory: '120Mi' },
    ],
    [
      'pod-level requests instead of the sum, with overhead',
      {
        containers: [container('a', { cpu: '1', memory: '1Gi', 'example.com/gpu': '1' })],
        resources: { requests: { cpu: '3' } },
        overhead: { cpu: '1' },
      },
      { cpu: '4', memory: '1Gi', 'example.com/gpu': '1' },
    ],
    [
      'huge pages of the pod level',
      { containers: [], resources: { requests: { 'hugepages-2Mi': '4Mi' } } },
      { 'hugepages-2Mi': '4Mi' },
    ],
    [
      'no other resources of the pod level',
      { containers: [container('a', { 'example.com/gpu': '1' })], resources: { requests: { 'example.com/gpu': '9' } } },
      { 'example.com/gpu': '1' },
    ],
    ['no limits', { containers: [{ name: 'a', resources: { limits: { cpu: '4' } } }], resources: {} }, {}],
  ];
  for (const [name, spec, expected] of table) {
    it(`counts ${name}`, () => {
      expect(requestsOf(pod(spec))).to.deep.equal(expected);
    });
  }

  it('is empty for a pod without spec', () => {
    expect(requestsOf({})).to.deep.equal({});
  });

  describe('while a container is resized', () => {
    const spec = { containers: [container('a', { cpu: '1' })] };

    it('counts the largest of wanted, actual and allocated', () => {
      expect(requestsOf(pod(spec, status('a', { cpu: '2' }, { cpu: '500m' })))).to.deep.equal({ cpu: '2' });
      expect(requestsOf(pod(spec, status('a', { cpu: '500m' }, { cpu: '3' })))).to.deep.equal({ cpu: '3' });
      expect(requestsOf(pod(spec, status('a', { cpu: '500m' }, { cpu: '500m' })))).to.deep.equal({ cpu: '1' });
    });

    it('counts only what the container has while the resize can not be done', () => {
      const infeasible = {
        ...status('a', { cpu: '500m' }, { cpu: '600m' }),
        conditions: [{ type: 'Ready', status: 'True' }, ...resizePending('Infeasible')],
      };
      expect(requestsOf(pod(spec, infeasible))).to.deep.equal({ cpu: '600m' });
      const deferred = { ...infeasible, conditions: resizePending('Deferred') };
      expect(requestsOf(pod(spec, deferred))).to.deep.equal({ cpu: '1' });
    });

    it('goes by the spec until the kubelet reports resources', () => {
      expect(requestsOf(pod(spec, status('a', undefined, { cpu: '3' })))).to.deep.equal({ cpu: '1' });
      expect(requestsOf(pod(spec, status('another', { cpu: '3' })))).to.deep.equal({ cpu: '1' });
    });

    it('looks at the status of sidecars, not of other init containers', () => {
      const initContainers = [sidecar('s', { cpu: '1' }), container('i', { cpu: '1' })];
      const initContainerStatuses = [containerStatus('s', { cpu: '2' }), containerStatus('i', { cpu: '9' })];
      expect(requestsOf(pod({ initContainers }, { initContainerStatuses }))).to.deep.equal({ cpu: '3' });
    });
  });

  describe('while the pod level is resized', () => {
    const spec = { containers: [container('a', { memory: '1Gi' })], resources: { requests: { cpu: '1' } } };

    it('counts the largest of wanted, actual and allocated, of what the spec names', () => {
      const resized = { resources: { requests: { cpu: '2', memory: '9Gi' } }, allocatedResources: { cpu: '3' } };
      expect(requestsOf(pod(spec, resized))).to.deep.equal({ cpu: '3', memory: '1Gi' });
    });

    it('goes by the spec until the kubelet reports resources', () => {
      expect(requestsOf(pod(spec, { allocatedResources: { cpu: '3' } }))).to.deep.equal({ cpu: '1', memory: '1Gi' });
    });
  });
});

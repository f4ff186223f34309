import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { clusterCidrFlags, serviceRangeFlags, trimControlPlanePod } from '../../../../src/clusterlink/cluster/flags.js';

function controlPlane(component: string, command: readonly string[], args?: readonly string[]): Pod {
  const containers = [{ name: component, image: 'x', command, ...(args !== undefined && { args }) }];
  return { metadata: { name: `${component}-n1`, labels: { component } }, spec: { containers } };
}

describe('ranges in the flags of a control plane', () => {
  const table: readonly (readonly [string, readonly Pod[], readonly string[]])[] = [
    [
      'in the command',
      [controlPlane('kube-apiserver', ['kube-apiserver', '--service-cluster-ip-range=10.96.0.0/12'])],
      ['10.96.0.0/12'],
    ],
    [
      'in the arguments',
      [controlPlane('kube-apiserver', ['kube-apiserver'], ['--service-cluster-ip-range=10.96.0.0/12'])],
      ['10.96.0.0/12'],
    ],
    [
      'of both families',
      [controlPlane('kube-apiserver', ['--service-cluster-ip-range=10.96.0.0/12, fd00::/108'])],
      ['10.96.0.0/12', 'fd00::/108'],
    ],
    [
      'as two words',
      [controlPlane('kube-apiserver', ['--service-cluster-ip-range', '10.96.0.0/12'])],
      ['10.96.0.0/12'],
    ],
    ['of another program', [controlPlane('etcd', ['--service-cluster-ip-range=10.96.0.0/12'])], []],
    ['of another flag', [controlPlane('kube-apiserver', ['--service-cluster-ip-ranges=10.96.0.0/12'])], []],
    ['that are empty', [controlPlane('kube-apiserver', ['--service-cluster-ip-range='])], []],
    ['at the very end', [controlPlane('kube-apiserver', ['--service-cluster-ip-range'])], []],
    ['of no pod', [], []],
    ['of a pod without a spec', [{ metadata: { labels: { component: 'kube-apiserver' } } }], []],
  ];
  for (const [where, pods, expected] of table) {
    it(`are found ${where}`, () => {
      expect(serviceRangeFlags(pods)).to.deep.equal(expected);
    });
  }

  it('say where pods get their addresses from', () => {
    const pod = controlPlane('kube-controller-manager', ['kube-controller-manager', '--cluster-cidr=10.244.0.0/16']);
    expect(clusterCidrFlags([pod])).to.deep.equal(['10.244.0.0/16']);
    expect(serviceRangeFlags([pod])).to.deep.equal([]);
  });

  it('are all that is kept of a pod', () => {
    const pod: Pod = {
      ...controlPlane('kube-apiserver', ['--a=b'], ['--c']),
      status: { phase: 'Running' },
    };
    expect(trimControlPlanePod(pod)).to.deep.equal({
      metadata: {
        ...{ name: 'kube-apiserver-n1', namespace: undefined, uid: undefined, resourceVersion: undefined },
        labels: { component: 'kube-apiserver' },
      },
      spec: { containers: [{ name: 'kube-apiserver', command: ['--a=b'], args: ['--c'] }] },
    });
    expect(trimControlPlanePod({}).spec?.containers).to.deep.equal([]);
  });
});

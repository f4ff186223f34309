import { expect } from 'chai';
import { controlPlaneSpec, processName, programPath } from '../../../hack/lab/control-plane.js';
import { defaultKwokNodes, kwokNodeObject, kwokSpec } from '../../../hack/lab/kwok.js';
import { compileLabOptions, type LabOptions } from '../../../hack/lab/options.js';
import { planClusters, type ClusterPlan } from '../../../hack/lab/plan.js';

const BINARIES = {
  etcd: '/b/etcd',
  'kube-apiserver': '/b/kube-apiserver',
  'kube-controller-manager': '/b/kcm',
  'kube-scheduler': '/b/scheduler',
  kwok: '/b/kwok',
  'stages.yaml': '/b/stages.yaml',
};

function plans(options: LabOptions = {}): ClusterPlan[] {
  return planClusters(compileLabOptions(options), 3);
}

describe('the plan of a lab', () => {
  it('has a machine per light cluster, and KWOK nodes in the members', () => {
    const shape = plans().map((plan) => [plan.name, plan.machines.length, plan.kwokNodes]);
    expect(shape).to.deep.equal([
      ['host', 1, 0],
      ['member1', 1, 3],
      ['member2', 1, 3],
    ]);
  });

  it('has a machine per real node of a full cluster, and no KWOK nodes', () => {
    const shape = plans({ full: true, nodes: 2, hostNodes: 1 }).map((plan) => [plan.machines.length, plan.kwokNodes]);
    expect(shape).to.deep.equal([
      [1, 0],
      [2, 0],
      [2, 0],
    ]);
  });

  it('gives every machine its own name, namespace, address, folders, control group and container network', () => {
    const machines = plans({ full: true, nodes: 3 }).flatMap((plan) => plan.machines);
    const keys = ['name', 'namespace', 'directory', 'runtimeDirectory', 'cgroup', 'networkName'] as const;
    for (const key of keys) expect(new Set(machines.map((machine) => machine[key])).size, key).to.equal(9);
    expect(new Set(machines.flatMap((machine) => machine.addresses)).size).to.equal(9);
  });

  it('names the namespace of the control plane after the cluster', () => {
    expect(plans({ members: 1 }).map((plan) => plan.machines[0].namespace)).to.deep.equal([
      'klab3-host',
      'klab3-member1',
    ]);
  });

  it('keeps socket folders short enough for the container runtime', () => {
    const [host] = plans({ instance: 'a'.repeat(40), full: true, nodes: 16, members: 29 }).slice(-1);
    const longest = host?.machines.at(-1)?.runtimeDirectory ?? '';
    expect(`${longest}/s`.length).to.be.at.most(42);
  });

  it('puts clusters of the default instance right below the root, and those of others below their name', () => {
    expect(plans()[1]?.directory).to.match(/\/\.lab\/member1$/);
    expect(plans({ instance: 'other' })[1]?.directory).to.match(/\/\.lab\/other\/member1$/);
  });

  it('gives all clusters the same ranges on request only', () => {
    expect(new Set(plans().map((plan) => plan.ranges.pods.join())).size).to.equal(3);
    expect(new Set(plans({ sameCidrs: true }).map((plan) => plan.ranges.pods.join())).size).to.equal(1);
  });

  it('has servers that URLs can name in either family', () => {
    expect(plans()[0]?.server).to.equal('https://198.18.6.16:6443');
    expect(plans({ family: 'ipv6' })[0]?.server).to.equal('https://[fd4b:6f73:3::10]:6443');
  });
});

describe('programs of a control plane', () => {
  const [, member] = plans({ family: 'dual' });
  const args = (component: Parameters<typeof controlPlaneSpec>[0]): readonly string[] =>
    controlPlaneSpec(component, member!, BINARIES, { etcd: ['--mine'] }).args;

  it('runs in the namespace of the first machine with a log of its own', () => {
    const spec = controlPlaneSpec('etcd', member!, BINARIES, {});
    expect(spec).to.include({ name: 'member1.etcd', namespace: 'klab3-member1', command: '/b/etcd' });
    expect(spec.logFile).to.match(/member1\/logs\/etcd\.log$/);
  });

  it('adds the flags of the caller last, so that they win', () => {
    expect(args('etcd').at(-1)).to.equal('--mine');
    expect(args('kube-scheduler')).to.not.include('--mine');
  });

  it('serves both families of a dual-stack cluster', () => {
    expect(args('kube-apiserver')).to.include('--service-cluster-ip-range=10.12.0.0/16,fd20:0:1::/112');
    expect(args('kube-controller-manager')).to.include('--cluster-cidr=10.8.0.0/14,fd10:0:1::/48');
  });

  it('listens on all addresses of its family', () => {
    expect(args('kube-apiserver')).to.include('--bind-address=0.0.0.0');
    const six = plans({ family: 'ipv6' })[0]!;
    expect(controlPlaneSpec('kube-apiserver', six, BINARIES, {}).args).to.include('--bind-address=::');
  });

  it('elects no leader, because a program that loses its lease exits when a test stops the API server', () => {
    for (const component of ['kube-controller-manager', 'kube-scheduler'] as const) {
      expect(args(component)).to.include('--leader-elect=false');
    }
  });

  it('numbers only what runs on every machine', () => {
    expect(processName('host', 'etcd', 2)).to.equal('host.etcd');
    expect(processName('host', 'kubelet', 2)).to.equal('host.kubelet-2');
  });

  it('says which program is missing', () => {
    expect(() => programPath({}, 'kubelet')).to.throw('this lab has no kubelet');
  });
});

describe('KWOK', () => {
  it('plays only nodes that carry its annotation', () => {
    const spec = kwokSpec(plans()[1]!, BINARIES, { kwok: ['--more'] });
    expect(spec.args).to.include.members(['--manage-all-nodes=false', '--config=/b/stages.yaml', '--more']);
    const node = kwokNodeObject({ name: 'a', annotations: { mine: 'yes', 'kwok.x-k8s.io/node': 'no' } }) as {
      metadata: { annotations: Record<string, string> };
    };
    expect(node.metadata.annotations).to.include({ mine: 'yes', 'kwok.x-k8s.io/node': 'fake' });
  });

  it('has default nodes in three zones of a region of their cluster', () => {
    const nodes = defaultKwokNodes('member1', 4);
    expect(nodes.map((node) => node.name)).to.deep.equal([1, 2, 3, 4].map((number) => `member1-node${number}`));
    const zones = nodes.map((node) => node.labels?.['topology.kubernetes.io/zone']);
    expect(zones).to.deep.equal(['member1-a', 'member1-b', 'member1-c', 'member1-a']);
  });

  it('merges the capacity over the default, and allocatable is the same', () => {
    const { status } = kwokNodeObject({ name: 'a', capacity: { cpu: '4', 'example.com/gpu': '2' } }) as {
      status: { capacity: Record<string, string>; allocatable: Record<string, string> };
    };
    expect(status.capacity).to.include({ cpu: '4', 'example.com/gpu': '2', pods: '2000' });
    expect(status.allocatable).to.deep.equal(status.capacity);
  });

  it('leaves spec fields out that are not asked for', () => {
    expect(kwokNodeObject({ name: 'a' })['spec']).to.deep.equal({});
    const taints = [{ key: 'k', effect: 'NoExecute' }];
    const full = kwokNodeObject({ name: 'a', taints, unschedulable: true });
    expect(full['spec']).to.deep.equal({ taints, unschedulable: true });
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseHierarchies } from '../../../hack/lab/full/cgroups.js';
import { containerdConfig } from '../../../hack/lab/full/containerd.js';
import { dnsManifests } from '../../../hack/lab/full/dns.js';
import { imageConfig } from '../../../hack/lab/full/image-archive.js';
import { kubeProxyConfig } from '../../../hack/lab/full/kube-proxy.js';
import { configForVersion, kubeletConfig } from '../../../hack/lab/full/kubelet.js';
import { allowWatches } from '../../../hack/lab/full/limits.js';
import { masqueradeRules, networkConfig, podRoutes } from '../../../hack/lab/full/node-network.js';
import { mountsBelow } from '../../../hack/lab/full/remains.js';
import { compileLabOptions } from '../../../hack/lab/options.js';
import { planClusters } from '../../../hack/lab/plan.js';

const [host, member] = planClusters(compileLabOptions({ full: true, nodes: 2, family: 'dual' }), 0);
const plan = member!;
const [first, second] = plan.machines;

describe('control group hierarchies', () => {
  it('finds version 1 with the unified hierarchy beside it', () => {
    const mounts = [
      'tmpfs /sys/fs/cgroup tmpfs rw 0 0',
      'cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0',
      'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0',
      'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0',
    ].join('\n');
    expect(parseHierarchies(mounts)).to.deep.equal({
      v1: ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/memory'],
      v2: '/sys/fs/cgroup/unified',
    });
  });

  it('finds version 2 alone', () => {
    expect(parseHierarchies('cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n')).to.deep.equal({ v1: [], v2: '/sys/fs/cgroup' });
  });

  it('finds none where none is mounted', () => {
    expect(parseHierarchies('proc /proc proc rw 0 0')).to.deep.equal({ v1: [], v2: undefined });
  });
});

describe('the limit of inotify instances', () => {
  const after = (value: string): string => {
    const folder = mkdtempSync(join(tmpdir(), 'kosmos-limit-'));
    const file = join(folder, 'max_user_instances');
    writeFileSync(file, value);
    allowWatches(file);
    const text = readFileSync(file, 'utf8');
    rmSync(folder, { recursive: true });
    return text;
  };

  it('is raised where it is too low for many nodes, and never lowered', () => {
    expect(after('128\n')).to.equal('2048');
    expect(after('2048\n')).to.equal('2048\n');
    expect(after('65536\n')).to.equal('65536\n');
  });

  it('is named with what to do when it can not be raised', () => {
    // A number below the limit that the kernel shows, and lets nobody change.
    expect(() => allowWatches('/proc/sys/kernel/cap_last_cap')).to.throw('sysctl fs.inotify.max_user_instances=2048');
  });
});

describe('mounts of a lab', () => {
  const mounts = [
    'a /lab/one/node1/kubelet tmpfs rw 0 0',
    'b /lab/one/node1/kubelet/volume tmpfs rw 0 0',
    'c /lab/one-more/volume tmpfs rw 0 0',
    'd /lab/one/with\\040blank tmpfs rw 0 0',
    'e / ext4 rw 0 0',
  ].join('\n');

  it('lists those below a folder, the innermost first', () => {
    const expected = ['/lab/one/with blank', '/lab/one/node1/kubelet/volume', '/lab/one/node1/kubelet'];
    expect(mountsBelow(mounts, ['/lab/one'])).to.deep.equal(expected);
  });

  it('leaves folders alone whose names only start alike', () => {
    expect(mountsBelow(mounts, ['/lab/one-more'])).to.deep.equal(['/lab/one-more/volume']);
    expect(mountsBelow(mounts, ['/lab/on'])).to.deep.equal([]);
  });
});

describe('the network of a full cluster', () => {
  it('routes to the pods of all other nodes by the address of the same family', () => {
    const subnets = new Map([
      [first.name, ['10.8.0.0/24', 'fd10:0:1::/64']],
      [second!.name, ['10.8.1.0/24', 'fd10:0:1:1::/64']],
    ]);
    expect(podRoutes(plan, first, subnets)).to.deep.equal([
      { destination: '10.8.1.0/24', via: second!.addresses[0] },
      { destination: 'fd10:0:1:1::/64', via: second!.addresses[1] },
    ]);
  });

  it('needs no routes with a single node', () => {
    const [single] = planClusters(compileLabOptions({ full: true }), 0);
    expect(
      podRoutes(single!, single!.machines[0], new Map([[single!.machines[0].name, ['10.0.0.0/24']]])),
    ).to.deep.equal([]);
  });

  it('gives pods an address and a default route of each family', () => {
    const { plugins } = networkConfig(first, ['10.8.0.0/24', 'fd10:0:1::/64']) as {
      plugins: { type: string; ipam?: { ranges: unknown; routes: unknown } }[];
    };
    expect(plugins.map((plugin) => plugin.type)).to.deep.equal(['bridge', 'portmap']);
    expect(plugins[0]?.ipam?.ranges).to.deep.equal([[{ subnet: '10.8.0.0/24' }], [{ subnet: 'fd10:0:1::/64' }]]);
    expect(plugins[0]?.ipam?.routes).to.deep.equal([{ dst: '0.0.0.0/0' }, { dst: '::/0' }]);
  });

  it('hides pod addresses only from outside the cluster', () => {
    const rules = masqueradeRules(plan.ranges.pods);
    expect(rules).to.contain('oifname "eth0" ip saddr 10.8.0.0/14 ip daddr != 10.8.0.0/14 masquerade');
    expect(rules).to.contain('oifname "eth0" ip6 saddr fd10:0:1::/48 ip6 daddr != fd10:0:1::/48 masquerade');
  });
});

describe('the programs of a real node', () => {
  it('has a kubelet whose pods are below a control group of its own', () => {
    const groups = [...host!.machines, ...plan.machines].map((node) => kubeletConfig(plan, node)['cgroupRoot']);
    expect(new Set(groups).size).to.equal(4);
    for (const group of groups) expect(group).to.match(/^\/kosmos-lab-[0-9a-f]{10}\//);
  });

  it('asks the API server about everyone who calls the kubelet', () => {
    const config = kubeletConfig(plan, first);
    expect(config).to.deep.include({ authorization: { mode: 'Webhook' }, clusterDNS: ['10.12.0.10'] });
    expect(config['authentication']).to.deep.include({ anonymous: { enabled: false }, webhook: { enabled: true } });
  });

  it('leaves out settings that an older kubelet refuses', () => {
    const config = kubeletConfig(plan, first);
    expect(configForVersion(config, 'v1.33.0')).to.deep.equal(config);
    expect(configForVersion(config, 'v1.32.9')).to.not.have.property('imagePullCredentialsVerificationPolicy');
    expect(configForVersion(config, 'v1.32.9')).to.have.property('failCgroupV1', false);
  });

  it('has a kube-proxy that leaves limits of the whole machine alone', () => {
    const config = kubeProxyConfig(plan, first, '/k');
    expect(config).to.include({ mode: 'nftables', bindAddress: '0.0.0.0', clusterCIDR: '10.8.0.0/14,fd10:0:1::/48' });
    expect(config['conntrack']).to.include({ maxPerCore: 0, min: 0 });
  });

  it('has a container runtime whose folders are all its own', () => {
    const paths = (node: typeof first): string[] =>
      [...containerdConfig(node, '/bin/shim').matchAll(/"(\/[^"]+)"/g)].map((match) => match[1] ?? '');
    const shared = paths(first).filter((path) => paths(second!).includes(path));
    expect(shared).to.deep.equal(['/bin/shim']);
    expect(paths(first)).to.have.length(8);
  });
});

describe('images of the lab', () => {
  it('has one layer, and only the settings that are asked for', () => {
    const config = imageConfig({ entrypoint: ['/pause'] }, 'ab') as { config: object; rootfs: object; os: string };
    expect(config.rootfs).to.deep.equal({ type: 'layers', diff_ids: ['sha256:ab'] });
    expect(config.config)
      .to.deep.include({ Entrypoint: ['/pause'] })
      .and.not.have.property('Cmd');
    expect(imageConfig({ command: ['sh'] }, 'ab')).to.have.nested.property('config.Cmd[0]', 'sh');
  });
});

describe('the DNS server of a full cluster', () => {
  it('has the address that kubelets tell their pods, and never runs on a virtual node', () => {
    const { items } = dnsManifests('10.12.0.10') as { items: { kind: string; spec?: Record<string, unknown> }[] };
    const service = items.find((item) => item.kind === 'Service');
    expect(service?.spec).to.include({ clusterIP: '10.12.0.10' });
    const deployment = items.find((item) => item.kind === 'Deployment');
    expect(deployment)
      .to.have.nested.property('spec.template.spec.nodeSelector')
      .that.deep.equals({ 'kosmos.io/lab-node': 'true' });
  });
});

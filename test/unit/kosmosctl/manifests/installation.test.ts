import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { IMAGE_LAYOUT, IMAGE_USER } from '../../../../hack/image/oci.js';
import { compileAgentOptions } from '../../../../src/bin/agent-options.js';
import { compileManagerOptions } from '../../../../src/bin/manager-options.js';
import { resourceTypeOf } from '../../../../src/kosmosctl/objects.js';
import { renderInstallation, type Manifest } from '../../../../src/kosmosctl/manifests/installation.js';
import { NODE_FLAGS } from '../../../../src/kosmosctl/manifests/manager.js';
import { DEFAULT_VALUES, valueProblems, type InstallValues } from '../../../../src/kosmosctl/manifests/values.js';

const CONTEXT = { namespace: 'kosmos-system', version: '1.2.3' };

interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly securityContext: object;
}

function render(changes: Partial<InstallValues> = {}): readonly Manifest[] {
  return renderInstallation({ ...DEFAULT_VALUES, ...changes }, CONTEXT);
}

function find(manifests: readonly Manifest[], kind: string): Manifest {
  return manifests.find((manifest) => manifest.kind === kind)!;
}

function podSpec(manifests: readonly Manifest[]): { containers: [Container]; securityContext: { runAsUser: number } } {
  const { spec } = find(manifests, 'Deployment') as unknown as { spec: { template: { spec: never } } };
  return spec.template.spec;
}

const link = (changes: Partial<InstallValues['clusterLink']> = {}): Partial<InstallValues> => ({
  clusterLink: { ...DEFAULT_VALUES.clusterLink, enabled: true, ...changes },
});

function rules(
  changes: Partial<InstallValues> = {},
): readonly { resources?: readonly string[]; verbs: readonly string[] }[] {
  return (find(render(changes), 'ClusterRole') as unknown as { rules: [] }).rules;
}

describe('renderInstallation', () => {
  it('gives every object a kind that can be applied, and a name', () => {
    const all = render({ podMonitor: true, alertRules: true, ...link() });
    for (const manifest of all) {
      expect(resourceTypeOf(manifest).kind).to.equal(manifest.kind);
      expect(manifest.metadata?.name, manifest.kind).to.be.a('string').and.not.empty;
      expect(manifest.metadata?.labels).to.include({ 'app.kubernetes.io/part-of': 'kosmos' });
    }
    expect(new Set(all.map(({ kind, metadata }) => `${kind}/${metadata?.namespace}/${metadata?.name}`)).size).to.equal(
      all.length,
    );
  });

  it('starts the manager with options that it knows', () => {
    const [container] = podSpec(
      render({ hostApiServer: 'api.example:6443', excludeExistingDaemonsets: true }),
    ).containers;
    const options = compileManagerOptions({ flags: container.args, environment: {}, readFile: () => '' });
    expect(options).to.include({
      kubeletService: 'kosmos-system/kosmos-manager',
      kubeletPort: 10250,
      kubeletPortCount: 64,
    });
    expect(options).to.include({ hostApiServer: 'api.example:6443', excludeExistingDaemonsets: true });
  });

  it('starts the program of the image with the flags of its first line', () => {
    const spec = podSpec(render());
    const [firstLine] = readFileSync('src/bin/manager.ts', 'utf8').split('\n');
    expect(firstLine).to.equal(`#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}`);
    const [node, ...rest] = spec.containers[0].command;
    expect(node).to.equal(IMAGE_LAYOUT.node);
    expect(rest.at(-1)).to.equal(`${IMAGE_LAYOUT.application}/dist/src/bin/manager.js`);
    expect(spec.securityContext.runAsUser).to.equal(IMAGE_USER);
    expect(spec.containers[0].securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('takes the version as tag unless there is one', () => {
    const image = (tag: string): string =>
      podSpec(render({ image: { ...DEFAULT_VALUES.image, tag } })).containers[0].image;
    expect([image(''), image('dev')]).to.deep.equal(['kosmos.local/kosmos:1.2.3', 'kosmos.local/kosmos:dev']);
  });

  it('names each port of the kubelet API in the Service', () => {
    const { spec } = find(render(), 'Service') as unknown as { spec: { ports: { port: number; name: string }[] } };
    expect(spec.ports).to.have.lengthOf(64);
    expect(spec.ports[63]).to.include({ name: 'kubelet-10313', port: 10313 });
  });

  it('publishes addresses of pods without a Service', () => {
    const manifests = render({ kubelet: { ...DEFAULT_VALUES.kubelet, service: false } });
    expect(manifests.map(({ kind }) => kind)).not.to.include('Service');
    expect(podSpec(manifests).containers[0].args.join()).not.to.contain('--kubelet-service');
  });

  it('grants what only some settings need with those alone', () => {
    const resources = (changes: Partial<InstallValues> = {}): string =>
      rules(changes)
        .flatMap((rule) => rule.resources ?? [])
        .join();
    const { kubelet } = DEFAULT_VALUES;
    expect(resources()).to.contain('certificatesigningrequests/approval').and.not.contain('daemonsets');
    expect(resources({ kubelet: { ...kubelet, approveCertificates: false } })).not.to.contain('approval');
    expect(resources({ excludeExistingDaemonsets: true })).to.contain('daemonsets');
  });

  it('grants no wildcard in the host, and no right to give rights', () => {
    const words = rules().flatMap(({ resources = [], verbs }) => [...resources, ...verbs]);
    for (const word of ['*', 'escalate', 'bind', 'impersonate', 'deletecollection']) expect(words).not.to.include(word);
  });
});

describe('renderInstallation with ClusterLink', () => {
  const modules = (changes: Partial<InstallValues>): string =>
    podSpec(render(changes))
      .containers[0].args.filter((arg) => arg.startsWith('--modules'))
      .join();

  it('runs the modules that are wanted', () => {
    expect(modules(link())).to.equal('--modules=clustertree,clusterlink');
    expect(modules(link({ enabled: false }))).to.equal('--modules=clustertree');
    const alone = { ...link(), clusterTree: { enabled: false } };
    expect(modules(alone)).to.equal('--modules=clusterlink');
    expect(render(alone).map(({ kind }) => kind)).not.to.include('Service');
  });

  interface AgentPod {
    readonly containers: readonly [Container & { env: readonly { name: string; value?: string }[] }];
    readonly volumes: readonly { hostPath: { path: string } }[];
    readonly [field: string]: unknown;
  }

  function agentPod(changes = link()): AgentPod {
    const { spec } = find(render(changes), 'DaemonSet') as unknown as { spec: { template: { spec: AgentPod } } };
    return spec.template.spec;
  }

  it('has no agents without', () => {
    expect(render(link({ enabled: false })).map(({ kind }) => kind)).not.to.include.oneOf(['DaemonSet', 'Cluster']);
  });

  it('starts an agent with options that it knows, for the entry of the host', () => {
    const [{ args, env }] = agentPod().containers;
    const environment = Object.fromEntries(env.map(({ name, value = '' }) => [name, value]));
    const options = compileAgentOptions({ flags: args, environment, readFile: () => '' }, 'run');
    expect(options).to.include({ sysctlDir: '/host/sys', healthPort: 4879, logLevel: 'info' });
    expect(environment).to.include({ CLUSTER_NAME: 'kosmos-control-cluster' });
    expect(find(render(link()), 'Cluster').metadata).to.deep.include({ name: 'kosmos-control-cluster' });
  });

  it('starts the program of the image with the flags of its first line', () => {
    const [firstLine] = readFileSync('src/bin/agent.ts', 'utf8').split('\n');
    const [node, ...rest] = agentPod().containers[0].command;
    expect(node).to.equal(IMAGE_LAYOUT.node);
    expect(firstLine).to.equal(`#!/usr/bin/env -S node ${rest.slice(0, -1).join(' ')}`);
    expect(rest.at(-1)).to.equal(`${IMAGE_LAYOUT.application}/dist/src/bin/agent.js`);
  });

  it('gives agents the network of the node, and not the node', () => {
    const pod = agentPod();
    expect(pod['hostNetwork']).to.equal(true);
    expect(pod).not.to.include.keys('hostPID', 'hostIPC');
    expect(pod.containers[0].securityContext).to.deep.equal({
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'SYS_NICE'] },
    });
    expect(pod.volumes.map(({ hostPath }) => hostPath.path)).to.deep.equal(['/var/lib/kosmos/agent', '/proc/sys/net']);
  });

  it('runs agents on all nodes but virtual and excluded ones', () => {
    const pod = agentPod();
    expect(pod['tolerations']).to.deep.equal([{ operator: 'Exists' }]);
    expect(JSON.stringify(pod['affinity'])).to.contain('"kosmos.io/node","operator":"NotIn","values":["true"]');
    expect(JSON.stringify(pod['affinity'])).to.contain('"kosmos.io/exclude","operator":"NotIn"');
  });

  it('lets agents read what is wanted, and say what is done', () => {
    const roles = render(link()).filter(({ kind }) => kind === 'ClusterRole') as unknown as { rules: object[] }[];
    expect(roles[1]?.rules).to.deep.equal([
      { apiGroups: ['kosmos.io'], resources: ['nodeconfigs'], verbs: ['list', 'watch'] },
      { apiGroups: ['kosmos.io'], resources: ['nodeconfigs/status'], verbs: ['patch'] },
    ]);
  });
});

describe('valueProblems', () => {
  const { kubelet, image, clusterLink } = DEFAULT_VALUES;
  const table: readonly (readonly [string, Partial<InstallValues>, readonly string[]])[] = [
    ['the defaults', {}, []],
    ['no manager', { replicas: 0 }, ['replicas: must be a whole number from 1 on']],
    ['half a manager', { replicas: 1.5 }, ['replicas: must be a whole number from 1 on']],
    [
      'more ports than a Service may have',
      { kubelet: { ...kubelet, ports: 101 } },
      ['kubelet.ports: must be a whole number from 1 to 100'],
    ],
    ['many ports without a Service', { kubelet: { ...kubelet, ports: 1000, service: false } }, []],
    [
      'ports past the end',
      { kubelet: { ...kubelet, firstPort: 65500 } },
      ['kubelet.firstPort: the ports must lie between 1 and 65535'],
    ],
    [
      'a tag in the repository',
      { image: { ...image, repository: 'a/b:1' } },
      ['image.repository: "a/b:1" is not registry/repository without a tag'],
    ],
    ['a registry with a port', { image: { ...image, repository: 'localhost:5000/kosmos' } }, []],
    ['a strange tag', { image: { ...image, tag: 'a b' } }, ['image.tag: "a b" is not a tag']],
    ['an address without port', { hostApiServer: 'api.example' }, ['hostApiServer: "api.example" is not host:port']],
    [
      'no part at all',
      { clusterTree: { enabled: false }, clusterLink: { ...clusterLink, enabled: false } },
      ['clusterTree.enabled, clusterLink.enabled: one of them has to be true'],
    ],
    [
      'a network that there is not',
      { clusterLink: { ...clusterLink, options: { networkType: 'star' as never, ipFamily: 'ipx' } } },
      [
        'clusterLink.options.networkType: must be one of p2p, gateway',
        'clusterLink.options.ipFamily: must be one of all, ipv4, ipv6',
      ],
    ],
    [
      'a folder that is relative',
      { clusterLink: { ...clusterLink, agent: { ...clusterLink.agent, stateDir: 'x' } } },
      ['clusterLink.agent.stateDir: must be an absolute path'],
    ],
    [
      'several things',
      { replicas: -1, hostApiServer: 'x' },
      ['replicas: must be a whole number from 1 on', 'hostApiServer: "x" is not host:port'],
    ],
  ];
  for (const [what, changes, problems] of table) {
    it(`${problems.length === 0 ? 'accepts' : 'refuses'} ${what}`, () => {
      expect(valueProblems({ ...DEFAULT_VALUES, ...changes })).to.deep.equal(problems);
    });
  }
});

import { expect } from 'chai';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, type BuiltImage } from '../../hack/image/build.js';
import { LAB_IMAGES } from '../../hack/lab/full/images.js';
import { Lab } from '../../hack/lab/lab.js';
import { run } from '../../hack/lab/run.js';
import { identityName, identityRights } from '../../src/kosmosctl/join/identity.js';
import { holds } from '../../src/kosmosctl/manifests/template.js';
import { DEFAULT_VALUES } from '../../src/kosmosctl/manifests/values.js';
import { AGENT_NAMESPACE_RIGHTS, AGENT_RIGHTS } from '../../src/kosmosctl/rights/agent-rights.js';
import { HOST_NAMESPACE_RIGHTS, HOST_RIGHTS } from '../../src/kosmosctl/rights/host-rights.js';
import { removeAgentState } from '../support/agent-state.js';
import { AuditLog, deniedOf, unusedOf } from '../support/audit-log.js';
import { eventually } from '../support/eventually.js';
import { nodeNetwork } from '../support/node-network.js';
import { podProcess, runInPod } from '../support/pod-process.js';
import { Kubectl } from '../support/kubectl.js';
import { Kosmosctl } from '../support/kosmosctl.js';

const NAMESPACE = 'shop';
const SECONDS = 1_000;

/** What people run: a Deployment with configuration, a secret and a token, spread over the members. */
const WORKLOAD = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: NAMESPACE }, data: { a: '1' } },
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'password', namespace: NAMESPACE }, stringData: { b: '2' } },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace: NAMESPACE } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          serviceAccountName: 'web',
          containers: [
            {
              name: 'web',
              image: LAB_IMAGES.http,
              resources: { requests: { cpu: '10m', memory: '16Mi' } },
              envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'password' } }],
            },
          ],
          terminationGracePeriodSeconds: 1,
          tolerations: [{ key: 'kosmos.io/node', operator: 'Exists' }],
          nodeSelector: { 'kosmos.io/node': 'true' },
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kosmos.io/cluster',
              whenUnsatisfiable: 'DoNotSchedule',
              labelSelector: { matchLabels: { app: 'web' } },
            },
          ],
        },
      },
    },
  },
];

/** The lab has none, so that there is nothing to watch or to make. */
const CALICO_ALONE = [
  ...['create', 'delete', 'watch'].map((verb) => `${verb} ippools.crd.projectcalico.org`),
  'watch blockaffinities.crd.projectcalico.org',
];

/**
 * Rights that this test may have no need of, with where they are used. What is in none of the lists must be used here, so
 * that no right stays when its use has gone.
 */
const USED_ELSEWHERE: Readonly<Record<'host' | 'member', Readonly<Record<string, readonly string[]>>>> = {
  host: {
    'API servers ask for these beside the request itself': [
      'approve signers.certificates.k8s.io',
      'create mutatingadmissionpolicies.admissionregistration.k8s.io',
      'create mutatingadmissionpolicybindings.admissionregistration.k8s.io',
    ],
    'integration/clustertree/storage.test.ts': [
      'create persistentvolumes',
      'delete persistentvolumes',
      'get persistentvolumeclaims',
      'get persistentvolumes',
      'patch persistentvolumeclaims',
      'patch persistentvolumeclaims/status',
      'patch persistentvolumes',
    ],
    'integration/clustertree/kubelet-access.test.ts': ['create tokenreviews.authentication.k8s.io'],
    'integration/clustertree/outage.test.ts': ['get pods', 'patch nodes/status', 'patch pods'],
    'integration/clusterlink/manager.test.ts, with Calico': CALICO_ALONE,
    'integration/clustertree/pods.test.ts': ['patch events'],
    'soak/crash-sweep.test.ts': ['get certificatesigningrequests.certificates.k8s.io', 'get nodes'],
  },
  member: {
    'integration/clustertree/storage.test.ts': [
      'create persistentvolumeclaims',
      'create persistentvolumes',
      'delete persistentvolumeclaims',
      'delete persistentvolumes',
      'get persistentvolumeclaims',
      'get persistentvolumes',
      'patch persistentvolumeclaims',
      'patch persistentvolumes',
    ],
    'e2e/kubelet-api.test.ts': [
      'create pods/attach',
      'create pods/portforward',
      'get pods/attach',
      'get pods/exec',
      'get pods/portforward',
    ],
    'e2e/metrics.test.ts': ['list nodes.metrics.k8s.io', 'list pods.metrics.k8s.io'],
    'integration/clustertree/config.test.ts': ['update secrets'],
    'integration/clusterlink/manager.test.ts, with Calico': CALICO_ALONE,
    'integration/clustertree/pods.test.ts': ['get pods'],
    'integration/clustertree/identity.test.ts': ['patch secrets'],
    'integration/clustertree/shared-member.test.ts': ['get namespaces', 'patch namespaces'],
    'unit/clustertree/cluster/credential-renewal.test.ts, after days': ['create serviceaccounts/token'],
  },
};

const usedElsewhere = (side: 'host' | 'member'): readonly string[] => Object.values(USED_ELSEWHERE[side]).flat().sort();

describe('a federation from nothing, with the managers in pods of the host', () => {
  let lab: Lab;
  let image: BuiltImage;
  let ctl: Kosmosctl;
  let kubectl: Kubectl;
  const audit = new AuditLog(['kosmos-system', 'kosmos-member']);
  const networks = new Map<string, string>();

  before(async function () {
    this.timeout(400_000);
    await Lab.down('e2e-ctl');
    image = await buildImage();
    const extraArgs = { 'kube-apiserver': audit.flags };
    lab = await Lab.up({ instance: 'e2e-ctl', members: 2, full: true, extraArgs });
    await lab.host.importImages(image.archive);
    ctl = new Kosmosctl(lab.host);
    for (const member of lab.members) await member.importImages(image.archive);
    kubectl = new Kubectl(lab.host, NAMESPACE);
    for (const node of allNodes()) networks.set(node, await nodeNetwork(lab, node));
  });

  const allNodes = (): readonly string[] => lab.clusters.flatMap(({ machines }) => machines.map(({ name }) => name));

  after(async () => {
    await lab.down();
    removeAgentState(lab);
    audit.close();
  });

  const kubeconfigOf = (name: string): string => lab.cluster(name).kubeconfigPath;
  const joined = (name: string) =>
    ctl.run(['join', 'cluster', '--name', name, '--kubeconfig', kubeconfigOf(name), '--yes']);
  const apply = (objects: readonly object[]) =>
    kubectl.output(['apply', '-f', '-'], 'WebSocket', {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    });

  it('begins with an image that comes out the same each time', async () => {
    expect((await buildImage({ output: `${image.archive}.again` })).digest).to.equal(image.digest);
    expect(image.bytes).to.be.lessThan(80 * 2 ** 20);
  }).timeout(120 * SECONDS);

  it('finds that host and members are fit', async () => {
    const { code, stdout } = await ctl.run(['check', '--kubeconfig', kubeconfigOf('member1')]);
    expect(code, stdout).to.equal(0);
    expect(stdout).to.match(/ok +member +pod addresses +none in common with the host/);
  });

  it('installs, and installs again without a restart', async () => {
    const first = await ctl.run(['install']);
    expect(first.code, first.stderr).to.equal(0);
    expect(first.stderr).to.contain('Wait for the managers: 2 ready');
    const uids = (): Promise<string> =>
      kubectl.output(['-n', 'kosmos-system', 'get', 'pods', '-o', 'jsonpath={.items[*].metadata.uid}']);
    const before = await uids();
    const second = await ctl.run(['install']);
    expect(second.code, second.stderr).to.equal(0);
    expect(await uids()).to.equal(before);
  });

  it('works as the README says', async () => {
    const [, block = ''] = /## Use it.*?```sh\n(.*?)```/s.exec(readFileSync('README.md', 'utf8')) ?? [];
    const commands = block.split('\n').filter((line) => line.startsWith('kosmosctl '));
    expect(commands).to.have.lengthOf(2);
    const cwd = mkdtempSync(join(tmpdir(), 'kosmos-readme-'));
    copyFileSync(kubeconfigOf('member1'), join(cwd, 'member1.yaml'));
    await ctl.withCommand((PATH) =>
      run('bash', ['-euc', commands.join('\n')], {
        ...{ cwd, timeoutMs: 200 * SECONDS },
        env: { ...process.env, PATH, KUBECONFIG: lab.host.kubeconfigPath },
      }),
    );
    rmSync(cwd, { recursive: true });
    expect(await ctl.output(['get', 'clusters'])).to.match(/member1 +True/);
  });

  it('says which image is missing', async () => {
    const { code, stderr } = await ctl.run([
      'install',
      '--image',
      'kosmos.local/nothing:1',
      '--set',
      'image.pullPolicy=Never',
      '--wait-time',
      '8',
    ]);
    expect(code, stderr).to.equal(4);
    expect(stderr)
      .to.match(/ErrImageNeverPull/)
      .and.contain('Import the image into the nodes');
    expect((await ctl.run(['install'])).code).to.equal(0);
  });

  it('joins two members, each twice', async () => {
    for (const name of ['member1', 'member2', 'member1', 'member2']) {
      const { code, stderr } = await joined(name);
      expect(code, stderr).to.equal(0);
    }
    expect(await ctl.output(['get', 'nodes', '-o', 'name'])).to.equal('node/kosmos-member1\nnode/kosmos-member2\n');
  });

  it('has linked their networks with that of the host: pods and Services of each are reached from all others', async () => {
    expect(await ctl.output(['doctor'])).to.match(/ok +kosmos-control-cluster +network +1 node, gateway host-node1/);
    const targets = new Map<string, readonly string[]>();
    const processes = new Map<string, number>();
    for (const { name, machines } of lab.clusters) {
      const labels = { app: 'linked' };
      const metadata = { name: 'linked', namespace: 'default', labels };
      const containers = [{ name: 'main', image: LAB_IMAGES.http }];
      const spec = { nodeName: machines[0]?.name, terminationGracePeriodSeconds: 1, containers };
      const ports = [{ port: 80, targetPort: 8080 }];
      const items = [
        { apiVersion: 'v1', kind: 'Pod', metadata, spec },
        { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports } },
      ];
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      await lab.cluster(name).kubectl(['apply', '-f', '-'], { input });
    }
    for (const { name } of lab.clusters) {
      const cluster = lab.cluster(name);
      await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/linked', '--timeout=60s'], { timeoutMs: 70_000 });
      const read = async (what: string, path: string): Promise<string> =>
        (await cluster.kubectl(['get', what, 'linked', '-o', `jsonpath={${path}}`])).stdout;
      processes.set(name, podProcess(await read('pod', '.metadata.uid')));
      targets.set(name, [`${await read('pod', '.status.podIP')}:8080`, await read('service', '.spec.clusterIP')]);
    }
    for (const { name } of lab.clusters) {
      for (const [other, addresses] of targets) {
        for (const address of other === name ? [] : addresses) {
          const wget = ['timeout', '3', 'wget', '-qO-', `http://${address}/`];
          await eventually(() => runInPod(processes.get(name) ?? 0, wget), { timeoutMs: 20 * SECONDS });
        }
      }
    }
    for (const { name } of lab.clusters) {
      await lab.cluster(name).kubectl(['delete', 'pod,service', 'linked'], { timeoutMs: 60_000 });
    }
  });

  it('spreads a Deployment over them, whose logs and shells are reached through the Service', async () => {
    await apply(WORKLOAD);
    await kubectl.output(['rollout', 'status', 'deployment/web', '--timeout=90s'], 'WebSocket', { timeoutMs: 100_000 });
    const nodes = (await kubectl.output(['get', 'pods', '-o', 'jsonpath={.items[*].spec.nodeName}'])).split(' ').sort();
    expect(nodes).to.deep.equal(['kosmos-member1', 'kosmos-member1', 'kosmos-member2', 'kosmos-member2']);
    for (const pod of (await kubectl.output(['get', 'pods', '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ')) {
      expect((await kubectl.output(['exec', pod, '--', 'sh', '-c', 'echo $a$b'])).trim()).to.equal('12');
      expect((await kubectl.output(['exec', pod, '--', 'hostname'], 'SPDY')).trim()).to.equal(pod);
      await kubectl.output(['logs', pod]);
    }
    await changeInPlace();
  });

  /** Everything that a running pod can be told. */
  async function changeInPlace(): Promise<void> {
    // In the member whose rights are looked at in the end.
    const there = ['--field-selector', 'spec.nodeName=kosmos-member1'];
    const pod = (await kubectl.output(['get', 'pods', ...there, '-o', 'jsonpath={.items[0].metadata.name}'])).trim();
    const resources = { requests: { cpu: '20m', memory: '16Mi' } };
    const patch = JSON.stringify({ spec: { containers: [{ name: 'web', resources }] } });
    await kubectl.output(['patch', 'pod', pod, '--subresource', 'resize', '-p', patch]);
    await kubectl.output(['label', 'pod', pod, 'tier=front']);
    await kubectl.output(['debug', pod, `--image=${LAB_IMAGES.busybox}`, '--', 'true']);
    await apply([{ ...WORKLOAD[1], data: { a: '3' } }]);
    await kubectl.output(['delete', 'secret', 'password']);
    await kubectl.output(['delete', 'pod', pod]);
    await apply([WORKLOAD[2]!]);
    await kubectl.output(['rollout', 'status', 'deployment/web', '--timeout=90s'], 'WebSocket', { timeoutMs: 100_000 });
  }

  it('explains where a pod is, and finds everything in order', async () => {
    const [pod = ''] = (await kubectl.output(['get', 'pods', '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ');
    await eventually(async () => {
      const text = await ctl.output(['explain', 'pod', pod, '-n', NAMESPACE]);
      expect(text).to.match(new RegExp(`^${NAMESPACE}/${pod}: it is Running in member[12], as it should be\n`));
    });
    const { code, stdout } = await ctl.run(['doctor']);
    expect(code, stdout).to.equal(0);
    expect(stdout).to.match(/ok +member1 +kubelet API +kosmos-member1 answers the API server of the host/);
    expect(stdout).to.match(/ok +member2 +credential +the token of kosmos-member\/\S+ is good for 16[78]h/);
    expect(await ctl.output(['describe', 'cluster', 'member1'])).to.match(/kosmos-member1 +True +2 /);
    expect(await ctl.output(['version'])).to.contain('kosmos.local/kosmos:0.1.0');
  });

  it('goes on when the leader dies, at the address that stays', async () => {
    const [holder = ''] = (
      await kubectl.output([
        '-n',
        'kosmos-system',
        'get',
        'lease',
        'kosmos-manager',
        '-o',
        'jsonpath={.spec.holderIdentity}',
      ])
    ).split('_');
    const address = (): Promise<string> =>
      kubectl.output(['get', 'node', 'kosmos-member1', '-o', 'jsonpath={.status.addresses[*].address}']);
    const before = await address();
    await kubectl.output(['-n', 'kosmos-system', 'delete', 'pod', holder, '--grace-period=0', '--force']);
    await eventually(() => kubectl.output(['exec', 'deployment/web', '--', 'true']), { timeoutMs: 15 * SECONDS });
    await kubectl.output(['scale', 'deployment/web', '--replicas=6']);
    await kubectl.output(['rollout', 'status', 'deployment/web', '--timeout=60s'], 'WebSocket', { timeoutMs: 70_000 });
    expect(await address()).to.equal(before);
  });

  it('takes both out, each twice, and nothing is left in them', async () => {
    await kubectl.output(['delete', 'namespace', NAMESPACE], 'WebSocket', { timeoutMs: 100_000 });
    for (const name of ['member1', 'member2']) {
      const { code, stderr } = await ctl.run(['unjoin', 'cluster', name]);
      expect(code, stderr).to.equal(0);
    }
    for (const name of ['member1', 'member2']) {
      const args = ['unjoin', 'cluster', name, '--kubeconfig', kubeconfigOf(name), '--verify'];
      const { code, stderr } = await ctl.run(args);
      expect(code, stderr).to.equal(0);
    }
  });

  it('uninstalls, twice, and nothing is left', async () => {
    for (const _ of [1, 2]) {
      const { code, stderr } = await ctl.run(['uninstall', '--verify']);
      expect(code, stderr).to.equal(0);
      expect(stderr).to.contain('Verify that nothing is left: nothing');
    }
    expect(await kubectl.output(['get', 'namespace', 'kosmos-system', '--ignore-not-found'])).to.equal('');
  });

  it('leaves the network of all nodes as it was', async () => {
    await eventually(async () => {
      for (const node of allNodes()) expect(await nodeNetwork(lab, node), node).to.equal(networks.get(node));
    });
  });

  it('was refused nothing all the while, and had no right that nothing needs', async () => {
    const uid = await kubectl.output(['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}']);
    const identity = { cluster: 'member1', hostUid: uid, namespace: 'kosmos-member' };
    const inHost = audit.requestsOf('kosmos-system:kosmos-manager');
    const inMember = audit.requestsOf(`kosmos-member:${identityName(identity)}`);
    expect([inHost.length > 100, inMember.length > 50]).to.deep.equal([true, true]);
    expect({ host: deniedOf(inHost), member: deniedOf(inMember) }).to.deep.equal({ host: [], member: [] });
    for (const account of ['kosmos-system:kosmos-agent', 'kosmos-member:kosmos-agent']) {
      const ofAgents = audit.requestsOf(account);
      const unused = unusedOf([...AGENT_RIGHTS, ...AGENT_NAMESPACE_RIGHTS], ofAgents);
      expect([account, deniedOf(ofAgents), unused]).to.deep.equal([account, [], []]);
    }
    const hostRights = [...HOST_RIGHTS, ...HOST_NAMESPACE_RIGHTS.flatMap(({ rights }) => rights)].filter(
      ({ when }) => when === undefined || holds(DEFAULT_VALUES, when),
    );
    const features = { tree: true, link: { cni: 'calico' }, kubeletStats: false, removeNamespaces: true };
    const memberRights = identityRights(identity, features);
    const isNeeded = (side: 'host' | 'member', right: string): boolean => usedElsewhere(side).includes(right);
    expect({
      host: unusedOf(hostRights, inHost).filter((right) => !isNeeded('host', right)),
      member: unusedOf(memberRights, inMember).filter((right) => !isNeeded('member', right)),
    }).to.deep.equal({ host: [], member: [] });
  });

  for (const [shell, script] of [
    [
      'bash',
      'source <(kosmosctl completion bash); COMP_WORDS=(kosmosctl unj); COMP_CWORD=1; _kosmosctl; echo "${COMPREPLY[@]}"',
    ],
    [
      'zsh',
      'source <(kosmosctl completion zsh); compadd() { shift; print -r -- "$@" }; words=(kosmosctl unj); CURRENT=2; _kosmosctl',
    ],
  ] as const) {
    it(`completes in ${shell}`, async () => {
      const { stdout, stderr } = await ctl.withCommand((PATH) =>
        run(shell, ['-c', script], { env: { ...process.env, PATH }, allowFailure: true }),
      );
      expect(stdout.trim(), stderr).to.equal('unjoin');
    });
  }
});

import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import type { JoinOptions } from '../../../hack/lab/federation.js';
import type { Event, Node } from '../../../src/apis/core.js';
import { clusters } from '../../../src/kube/kosmos-resources.js';
import { events, nodes, pods, secrets } from '../../../src/kube/resource.js';
import { always, eventually } from '../../support/eventually.js';
import { deleteIfPresent, Federation, isReady } from '../../support/federation.js';
import { boundPod, virtualPod } from '../../support/workloads.js';

const MERGE = { type: 'merge' } as const;
const ZONE = 'topology.kubernetes.io/zone';
const KOSMOS_TAINT = { key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' };

describe('Clusters', () => {
  let federation: Federation;
  let namespace: string;
  let count = 0;

  before(async () => {
    federation = await Federation.start({ instance: 'it-clusters', members: 2, nodes: 3, join: false });
    await federation.join('member2', { name: 'steady' });
    await federation.clusterCondition('steady', 'Ready', 'True');
  });

  after(() => federation.down());

  beforeEach(async () => {
    count += 1;
    namespace = await federation.namespace(`clusters-${count}`);
  });

  /** Whatever a test did to its own Cluster, the others go on. */
  afterEach(async () => {
    await federation.deleteNamespace(namespace);
    for (const { metadata } of (await federation.host.list(clusters)).items) {
      if (metadata!.name !== 'steady') await leave(metadata!.name!);
    }
    await federation.clusterCondition('steady', 'Ready', 'True');
  });

  async function join(name: string, options: JoinOptions & { member?: string } = {}): Promise<void> {
    const { member = 'member1', ...rest } = options;
    await federation.join(member, { name, ...rest });
  }

  async function joined(name: string, options: JoinOptions & { member?: string } = {}): Promise<void> {
    await join(name, options);
    await federation.clusterCondition(name, 'Ready', 'True');
  }

  async function leave(name: string): Promise<void> {
    await deleteIfPresent(federation.host, clusters, { name });
    await eventually(async () => {
      expect(await federation.find('host', clusters, { name })).to.equal(undefined);
    });
  }

  function node(name: string): Promise<Node> {
    return eventually(() => federation.host.get(nodes, { name }));
  }

  async function nodesOf(cluster: string): Promise<string[]> {
    const { items } = await federation.host.list(nodes, { labelSelector: `kosmos.io/cluster=${cluster}` });
    return items.map(({ metadata }) => metadata!.name!).sort();
  }

  async function options(name: string, clusterTreeOptions: object): Promise<void> {
    await federation.host.patch(clusters, { name }, { spec: { clusterTreeOptions } }, MERGE);
  }

  /** Events about Clusters are in the namespace default. */
  async function clusterEvent(reason: string, name: string): Promise<Event> {
    return federation.event(reason, { name });
  }

  async function kubeconfig(change: (text: string) => string = (text) => text, member = 'member1'): Promise<string> {
    return change(await readFile(federation.lab.cluster(member).kubeconfigPath, 'utf8'));
  }

  const encoded = (text: string): string => Buffer.from(text).toString('base64');

  describe('as one virtual node', () => {
    it('have the name, labels, taint and addresses of a virtual node, and say how the member is', async () => {
      await joined('whole');
      const { metadata, spec, status } = await node('kosmos-whole');
      expect(metadata!.labels).to.include({
        'kosmos.io/node': 'true',
        'kosmos.io/cluster': 'whole',
        'kubernetes.io/role': 'agent',
        'kubernetes.io/hostname': 'kosmos-whole',
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/region': 'member1',
        'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
      });
      expect(metadata!.labels).to.not.have.property(ZONE);
      expect(metadata!.annotations).to.include({ 'kosmos-io/owned-by-cluster': 'whole', leafNodeMode: 'one2cluster' });
      // Admission taints every new node as not ready; the host's node controller takes that away in a moment.
      const lasting = spec!.taints!.filter(({ key }) => !key.startsWith('node.kubernetes.io/'));
      expect(lasting).to.deep.equal([KOSMOS_TAINT]);
      expect(spec!.providerID).to.equal('kosmos://whole/kosmos-whole');
      expect(status!.addresses).to.deep.equal([{ type: 'InternalIP', address: federation.lab.clientAddress }]);
      expect(status!.daemonEndpoints!.kubeletEndpoint!.Port).to.be.greaterThan(0);
      expect(status!.capacity).to.include({ cpu: '768', pods: '6k' });
      const cluster = await federation.host.get(clusters, { name: 'whole' });
      expect(cluster.status).to.deep.include({
        mode: 'all',
        nodes: { ready: 3, total: 3, summary: '3/3' },
        kubernetesVersion: federation.lab.config.kubeVersion,
        clusterTreeStatus: { leafNodeItems: [{ leafNodeName: 'kosmos-whole' }] },
      });
    });

    it('take edits of labels and taints at once; without taints pods need no toleration', async () => {
      await joined('edited', { clusterTreeOptions: { leafModels: [{ labels: { tier: 'gold' } }] } });
      expect((await node('kosmos-edited')).metadata!.labels).to.include({ tier: 'gold' });
      await options('edited', { leafModels: [{ labels: { colour: 'blue' }, taints: [] }] });
      await eventually(async () => {
        const { metadata, spec } = await node('kosmos-edited');
        expect(metadata!.labels).to.include({ colour: 'blue' }).and.not.have.property('tier');
        expect(spec!.taints).to.equal(undefined);
      });
      const ref = { namespace, name: 'plain' };
      await federation.host.create(
        pods,
        virtualPod({ ...ref, spec: { tolerations: [], nodeSelector: { colour: 'blue' } } }),
      );
      await federation.runningPod('member1', ref);
    });

    it('come back when somebody deletes the node', async () => {
      await joined('lost');
      const ref = { namespace, name: 'stays' };
      await federation.host.create(pods, boundPod('kosmos-lost', ref));
      const { metadata } = await federation.runningPod('host', ref);
      const { uid } = (await node('kosmos-lost')).metadata!;
      await federation.host.delete(nodes, { name: 'kosmos-lost' });
      await eventually(async () => {
        const again = await node('kosmos-lost');
        expect(again.metadata!.uid).to.not.equal(uid);
        expect(again.status!.conditions!.find(({ type }) => type === 'Ready')!.status).to.equal('True');
      });
      await always(async () => {
        expect((await federation.host.get(pods, ref)).metadata!.uid).to.equal(metadata!.uid);
        expect((await federation.pods('member1', namespace)).filter(isReady)).to.have.length(1);
      }, 2_000);
    });

    it('keep labels, annotations, taints and conditions that others put on the node', async () => {
      await joined('shared');
      const taint = { key: 'example.com/mine', effect: 'PreferNoSchedule' };
      const change = {
        metadata: { labels: { 'example.com/mine': 'yes' }, annotations: { 'example.com/note': 'hello' } },
        spec: { taints: [KOSMOS_TAINT, taint] },
      };
      await federation.host.patch(nodes, { name: 'kosmos-shared' }, change, MERGE);
      const condition = { type: 'example.com/Checked', status: 'True', reason: 'Fine', message: '' };
      const status = { status: { conditions: [condition] } };
      const written = { type: 'strategic', subresource: 'status' } as const;
      await federation.host.patch(nodes, { name: 'kosmos-shared' }, status, written);
      await options('shared', { leafModels: [{ labels: { tier: 'gold' } }] });
      await eventually(async () => {
        expect((await node('kosmos-shared')).metadata!.labels).to.include({ tier: 'gold' });
      });
      const now = await node('kosmos-shared');
      expect(now.metadata!.labels).to.include({ 'example.com/mine': 'yes' });
      expect(now.metadata!.annotations).to.include({ 'example.com/note': 'hello' });
      expect(now.spec!.taints).to.deep.include(taint).and.deep.include(KOSMOS_TAINT);
      expect(now.status!.conditions!.map(({ type }) => type)).to.include('example.com/Checked');
    });

    it('offer what foreign pods and unschedulable nodes of the member leave', async () => {
      const member = federation.client('member1');
      await joined('room');
      const allocatable = async (): Promise<Readonly<Record<string, string>>> =>
        (await node('kosmos-room')).status!.allocatable ?? {};
      const there = await federation.namespace('foreigners', 'member1');
      const resources = { requests: { cpu: '1500m', memory: '1Gi' } };
      const containers = [{ name: 'main', image: 'none', resources }];
      const before = Number((await allocatable())['pods']?.replace('k', '000'));
      await member.create(pods, boundPod('member1-node1', { namespace: there, name: 'running', spec: { containers } }));
      await member.create(pods, boundPod('member1-node2', { namespace: there, name: 'second', spec: { containers } }));
      await federation.host.create(pods, boundPod('kosmos-room', { namespace, name: 'ours', spec: { containers } }));
      await federation.runningPod('host', { namespace, name: 'ours' });
      await eventually(async () => {
        expect(await allocatable()).to.include({ cpu: '765', pods: String(before - 2) });
      });
      await member.patch(nodes, { name: 'member1-node3' }, { spec: { unschedulable: true } }, MERGE);
      await eventually(async () => {
        expect((await node('kosmos-room')).status!.capacity).to.include({ cpu: '512' });
        expect(await allocatable()).to.include({ cpu: '509' });
      });
      await member.patch(nodes, { name: 'member1-node3' }, { spec: { unschedulable: false } }, MERGE);
      const extended = { status: { capacity: { 'example.com/gpu': '4' }, allocatable: { 'example.com/gpu': '4' } } };
      await member.patch(nodes, { name: 'member1-node1' }, extended, { type: 'strategic', subresource: 'status' });
      await eventually(async () => {
        expect(await allocatable()).to.include({ cpu: '765', 'example.com/gpu': '4' });
      });
      await federation.deleteNamespace(there, 'member1');
    });
  });

  describe('as several virtual nodes', () => {
    it('are one for each named node of the member, where their pods run', async () => {
      const leafModels = [1, 2].map((index) => ({ nodeSelector: { nodeName: `member1-node${index}` } }));
      await joined('single', { clusterTreeOptions: { leafModels } });
      await eventually(async () => expect(await nodesOf('single')).to.deep.equal(['member1-node1', 'member1-node2']));
      const first = await node('member1-node1');
      expect(first.metadata!.labels).to.include({ [ZONE]: 'member1-a' });
      expect(first.status!.capacity).to.include({ cpu: '256' });
      const ref = { namespace, name: 'there' };
      await federation.host.create(pods, boundPod('member1-node2', ref));
      expect((await federation.runningPod('member1', ref)).spec!.nodeName).to.equal('member1-node2');
      await options('single', { leafModels: leafModels.slice(0, 1) });
      await eventually(async () => expect(await nodesOf('single')).to.deep.equal(['member1-node1']));
      await federation.podGone('host', ref);
      await federation.podGone('member1', ref);
    });

    it('are one for each selector, with the room and the pods of the nodes it selects', async () => {
      const party = (zone: string): object => ({
        leafNodeName: zone,
        nodeSelector: {
          labelSelector: { matchExpressions: [{ key: ZONE, operator: 'In', values: [`member1-${zone}`] }] },
        },
      });
      await joined('parties', { clusterTreeOptions: { leafModels: [party('a'), party('b')] } });
      await eventually(async () => expect(await nodesOf('parties')).to.deep.equal(['kosmos-a-0', 'kosmos-b-1']));
      const second = await node('kosmos-b-1');
      expect(second.metadata!.annotations).to.include({ leafNodeMode: 'one2party' });
      expect(second.metadata!.labels).to.include({ [ZONE]: 'member1-b' });
      expect(second.status!.capacity).to.include({ cpu: '256' });
      const ref = { namespace, name: 'there' };
      await federation.host.create(pods, boundPod('kosmos-b-1', ref));
      expect((await federation.runningPod('member1', ref)).spec!.nodeName).to.equal('member1-node2');
    });
  });

  describe('that are edited', () => {
    it('leave the federation with enable: false, and come back with true', async () => {
      await joined('toggled');
      const ref = { namespace, name: 'guest' };
      await federation.host.create(pods, boundPod('kosmos-toggled', ref));
      await federation.runningPod('host', ref);
      await options('toggled', { enable: false });
      await federation.clusterCondition('toggled', 'Ready', 'False', 'Disabled');
      expect(await nodesOf('toggled')).to.deep.equal([]);
      expect(await federation.pod('member1', ref)).to.equal(undefined);
      await options('toggled', { enable: true });
      await federation.clusterCondition('toggled', 'Ready', 'True');
      await node('kosmos-toggled');
    });

    it('take their kubeconfig from a Secret, and a new one when the Secret changes', async () => {
      await federation.namespace('kosmos-system');
      const ref = { namespace: 'kosmos-system', name: 'access' };
      const spec = { kubeconfigSecretRef: { name: 'access' }, clusterTreeOptions: {} };
      await federation.host.create(clusters, {
        apiVersion: 'kosmos.io/v1alpha1',
        kind: 'Cluster',
        metadata: { name: 'secret' },
        spec,
      });
      await federation.clusterCondition('secret', 'Ready', 'False', 'KubeconfigSecretMissing');
      await federation.host.create(secrets, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: ref,
        data: { kubeconfig: encoded('nonsense: [') },
      });
      await federation.clusterCondition('secret', 'Ready', 'False', 'InvalidKubeconfig');
      await federation.host.patch(secrets, ref, { data: { kubeconfig: encoded(await kubeconfig()) } }, MERGE);
      await federation.clusterCondition('secret', 'Ready', 'True');
      await leave('secret');
      await federation.host.delete(secrets, ref);
    });

    it('connect again with another kubeconfig', async () => {
      await join('moved', { kubeconfig: 'nonsense: [' });
      await federation.clusterCondition('moved', 'Ready', 'False', 'InvalidKubeconfig');
      await federation.host.patch(
        clusters,
        { name: 'moved' },
        { spec: { kubeconfig: encoded(await kubeconfig()) } },
        MERGE,
      );
      await federation.clusterCondition('moved', 'Ready', 'True');
    });
  });

  describe('that can not be joined', () => {
    const refusals: [string, string, string, (text: string) => string | Promise<string>][] = [
      ['no kubeconfig at all', 'Ready', 'InvalidKubeconfig', () => 'hello'],
      [
        'nobody at the address',
        'Reachable',
        'ConnectionFailed',
        (text) => text.replace(/server: .*/, 'server: https://127.0.0.1:1'),
      ],
      [
        'a certificate of the user that has expired',
        'Reachable',
        'CredentialRefused',
        async () => {
          const user = { name: 'expired', groups: ['system:masters'], notAfter: new Date('2025-01-01') };
          return readFile(await federation.lab.cluster('member1').addUser(user), 'utf8');
        },
      ],
      [
        'a server that another authority vouches for',
        'Reachable',
        'CertificateInvalid',
        (text) => withAuthorityOf(text, 'member2'),
      ],
    ];

    async function withAuthorityOf(text: string, member: string): Promise<string> {
      const other = /certificate-authority-data: .*/.exec(await kubeconfig(undefined, member))?.[0] ?? '';
      return text.replace(/certificate-authority-data: .*/, other);
    }

    for (const [what, condition, reason, change] of refusals) {
      it(`say so: ${what}`, async () => {
        const text = await change(await kubeconfig());
        await join('refused', { kubeconfig: text });
        await federation.clusterCondition('refused', 'Ready', 'False', reason);
        const found = await eventually(async () => {
          const { status } = await federation.host.get(clusters, { name: 'refused' });
          return status!.conditions!.find(({ type }) => type === condition)!;
        });
        expect(found.status).to.not.equal('True');
        expect(found.message).to.not.equal('');
        const event = await clusterEvent(reason, 'refused');
        expect(event.type).to.equal('Warning');
        expect(JSON.stringify([found, event])).to.not.match(/client-key-data|BEGIN/);
        expect(await nodesOf('refused')).to.deep.equal([]);
      });
    }

    it('say so when a node has their name that is not ours, and leave it alone', async () => {
      const name = 'kosmos-taken';
      const mine: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { mine: 'yes' } } };
      const { metadata } = await federation.host.create(nodes, mine);
      await join('taken');
      const { message } = await federation.clusterCondition('taken', 'Ready', 'False', 'NodeConflict');
      expect(message).to.include(name);
      await clusterEvent('NodeConflict', 'taken');
      const now = await node(name);
      expect(now.metadata!.uid).to.equal(metadata!.uid);
      expect(now.metadata!.labels).to.include({ mine: 'yes' }).and.not.have.property('kosmos.io/node');
      await leave('taken');
      expect((await node(name)).metadata!.uid).to.equal(metadata!.uid);
      await federation.host.delete(nodes, { name });
    });

    it('say so when two of them have a node of the same name; the first one keeps it', async () => {
      for (const { name } of federation.lab.members)
        await federation.lab.cluster(name).addKwokNodes([{ name: 'twin' }]);
      const twin = { clusterTreeOptions: { leafModels: [{ nodeSelector: { nodeName: 'twin' } }] } };
      await joined('first', twin);
      await join('second', { ...twin, member: 'member2' });
      const { message } = await federation.clusterCondition('second', 'Ready', 'False', 'NodeConflict');
      expect(message).to.include('twin').and.include('first');
      const ref = { namespace, name: 'here' };
      await federation.host.create(pods, boundPod('twin', ref));
      await federation.runningPod('member1', ref);
      expect(await federation.pod('member2', ref)).to.equal(undefined);
      await federation.clusterCondition('first', 'Ready', 'True');
      await leave('second');
      expect((await node('twin')).metadata!.labels).to.include({ 'kosmos.io/cluster': 'first' });
      await federation.runningPod('host', ref);
      await leave('first');
      for (const { name } of federation.lab.members) await federation.lab.cluster(name).removeNode('twin');
    });

    it('are left out when they are the host itself', async () => {
      await join('root', { annotations: { 'kosmos.io/cluster-role': 'root' } });
      await federation.clusterCondition('root', 'Ready', 'True', 'HostCluster');
      expect(await nodesOf('root')).to.deep.equal([]);
    });
  });

  describe('and pods of others', () => {
    it('leave a member pod of the same name alone, and say so', async () => {
      await joined('polite');
      const ref = { namespace: await federation.namespace(namespace, 'member1'), name: 'same' };
      const member = federation.client('member1');
      const foreign = await member.create(pods, boundPod('member1-node1', ref));
      await federation.host.create(pods, boundPod('kosmos-polite', ref));
      await federation.event('ForeignPod', ref);
      await federation.host.delete(pods, ref, { gracePeriodSeconds: 0 });
      await federation.podGone('host', ref);
      const now = await member.get(pods, ref);
      expect(now.metadata!.uid).to.equal(foreign.metadata!.uid);
      expect(now.metadata!.labels).to.deep.equal(foreign.metadata!.labels);
      await federation.deleteNamespace(namespace, 'member1');
    });
  });

  describe('that are deleted', () => {
    it('take their pods, namespaces and nodes with them, but nothing of others', async () => {
      await joined('going');
      const [empty, used] = [await federation.namespace('going-empty'), await federation.namespace('going-used')];
      for (const there of [empty, used]) {
        await federation.host.create(pods, boundPod('kosmos-going', { namespace: there, name: 'guest' }));
        await federation.runningPod('host', { namespace: there, name: 'guest' });
      }
      const mine = boundPod('member1-node1', { namespace: used, name: 'foreigner' });
      await federation.client('member1').create(pods, mine);
      await leave('going');
      expect(await nodesOf('going')).to.deep.equal([]);
      expect((await clusterEvent('LeftBehind', 'going')).message)
        .to.include(used)
        .and.include('foreigner');
      await federation.runningPod('member1', { namespace: used, name: 'foreigner' });
      expect((await federation.pods('member1', used)).map(({ metadata }) => metadata!.name)).to.deep.equal([
        'foreigner',
      ]);
      await eventually(async () => {
        const { stdout } = await federation.lab
          .cluster('member1')
          .kubectl(['get', 'namespace', empty, '--ignore-not-found']);
        expect(stdout).to.equal('');
      });
      for (const there of [empty, used]) await federation.deleteNamespace(there);
      await federation.deleteNamespace(used, 'member1');
    });

    it('wait for a member that does not answer, but not for ever', async () => {
      await joined('gone', { annotations: { 'kosmos.io/cleanup-timeout': '4s' } });
      const ref = { namespace, name: 'guest' };
      await federation.host.create(pods, boundPod('kosmos-gone', ref));
      await federation.runningPod('host', ref);
      const member = federation.lab.cluster('member1');
      await member.stopApiServer();
      try {
        await federation.clusterCondition('gone', 'Reachable', 'False');
        await leave('gone');
        expect(await nodesOf('gone')).to.deep.equal([]);
        expect(await federation.pod('host', ref)).to.equal(undefined);
        expect((await clusterEvent('LeftBehind', 'gone')).message).to.include('could not be');
        const { items } = await federation.host.list(events, { fieldSelector: 'involvedObject.name=steady' });
        expect(items.filter(({ type }) => type === 'Warning')).to.deep.equal([]);
      } finally {
        await member.startApiServer();
      }
      await federation.client('member1').delete(pods, ref, { gracePeriodSeconds: 0 });
    });
  });
});

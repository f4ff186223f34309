import { expect } from 'chai';
import { NODE_LABEL } from '../../src/apis/names.js';
import { clusters } from '../../src/kube/kosmos-resources.js';
import { namespaces, nodes, pods } from '../../src/kube/resource.js';
import { disagreements } from './agreement.js';
import type { CrashRig } from './crash-rig.js';
import { eventually } from './eventually.js';
import { deleteIfPresent, isReady } from './federation.js';
import { deployments } from './resources.js';
import { boundPod, deployment } from './workloads.js';

/** What users do while the manager is killed again and again. */
export interface CrashScript {
  readonly name: string;
  /** How often the manager may be killed in one run of it; each time it has to start again. */
  readonly kills: number;
  /** Writes that it is made to cause, beside those that `CrashSweep` knows of. */
  readonly expected?: readonly string[];
  run(rig: CrashRig, namespace: string): Promise<void>;
}

const SLOW = { timeoutMs: 90_000 };
const NODE = 'kosmos-member1';
const MERGE = { type: 'merge' } as const;

/** Nothing but the start of the manager itself. */
export const restartScript: CrashScript = {
  name: 'restart',
  kills: 14,
  async run(rig, namespace) {
    const { federation } = rig;
    const ref = { namespace: await federation.namespace(namespace), name: 'steady' };
    await federation.host.create(pods, boundPod(NODE, ref));
    await agree(rig);
    await rig.crash();
    await rig.settled();
    await agree(rig);
    await federation.host.delete(pods, ref);
    await federation.podGone('member1', ref);
    await deleteIfPresent(federation.host, namespaces, { name: namespace });
  },
};

/** Create, update, scale, node deletion, delete, and all the ways in which a pod may go. */
export const podScript: CrashScript = {
  name: 'pods',
  kills: 10,
  async run(rig, namespace) {
    const { federation } = rig;
    const { host } = federation;
    const metadata = { name: namespace, labels: { 'pod-security.kubernetes.io/warn': 'baseline' } };
    await host.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
    // Takes room in the member, so that the virtual node's status changes.
    const foreign = { namespace: 'default', name: namespace };
    await federation.client('member1').create(pods, boundPod('member1-node1', foreign));
    await eventually(() => host.create(pods, boundPod(NODE, { namespace, name: 'solo', annotations: { step: '1' } })));
    const web = { namespace, name: 'web' };
    await host.create(deployments, deployment({ ...web, replicas: 2 }));
    for (const name of ['lost', 'forced']) await host.create(pods, boundPod(NODE, { namespace, name }));
    const volumes = [{ name: 'data', glusterfs: { endpoints: 'none', path: '/' } }];
    const refused = { containers: [{ name: 'main', image: 'none' }], volumes };
    await host.create(pods, boundPod(NODE, { namespace, name: 'refused', spec: refused }));
    await agree(rig, ['refused']);

    const containers = [{ name: 'main', image: 'registry.k8s.io/pause:3.9' }];
    const update = { metadata: { labels: { step: '2' } }, spec: { containers } };
    await host.patch(pods, { namespace, name: 'solo' }, update, { type: 'strategic' });
    const debug = { spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox' }] } };
    await host.patch(pods, { namespace, name: 'solo' }, debug, {
      type: 'strategic',
      subresource: 'ephemeralcontainers',
    });
    await host.patch(
      namespaces,
      { name: namespace },
      { metadata: { labels: { 'pod-security.kubernetes.io/warn': 'privileged' } } },
      MERGE,
    );
    await host.patch(deployments, web, { spec: { replicas: 3 } }, MERGE);
    await agree(rig, ['refused']);
    await eventually(async () => {
      const copy = await federation.client('member1').get(pods, { namespace, name: 'solo' });
      expect(copy.spec?.ephemeralContainers?.map(({ name }) => name)).to.deep.equal(['debug']);
      const there = await federation.client('member1').get(namespaces, { name: namespace });
      expect(there.metadata?.labels).to.include({ 'pod-security.kubernetes.io/warn': 'privileged' });
    }, SLOW);

    await host.delete(nodes, { name: NODE });
    await host.patch(deployments, web, { spec: { replicas: 1 } }, MERGE);
    await federation.client('member1').delete(pods, { namespace, name: 'lost' });
    await host.delete(pods, { namespace, name: 'forced' }, { gracePeriodSeconds: 0 });
    await eventually(async () => {
      expect((await federation.pods('host', namespace, 'app=web')).filter(isReady)).to.have.length(1);
      expect((await host.get(pods, { namespace, name: 'lost' })).status?.phase).to.equal('Failed');
    }, SLOW);
    await agree(rig, ['refused', 'lost']);

    await host.delete(pods, { namespace, name: 'solo' });
    await federation.client('member1').delete(pods, foreign);
    await federation.event('NeedsEndpoints', { namespace, name: 'refused' });
    await host.delete(deployments, web, { propagationPolicy: 'Background' });
    // Takes some seconds; the next run goes on meanwhile.
    await host.delete(namespaces, { name: namespace });
    await agree(rig);
  },
};

/** A member leaves with its pods, and comes back. */
export const membershipScript: CrashScript = {
  name: 'membership',
  kills: 10,
  async run(rig, namespace) {
    const { federation } = rig;
    const { host } = federation;
    await federation.namespace(namespace);
    await host.create(pods, boundPod('kosmos-member2', { namespace, name: 'leaving' }));
    await agree(rig);
    await host.patch(clusters, { name: 'member2' }, { spec: { clusterTreeOptions: { enable: false } } }, MERGE);
    await eventually(async () => {
      const { items } = await host.list(nodes, { labelSelector: `${NODE_LABEL}=true` });
      expect(items.map((node) => node.metadata?.name)).to.deep.equal([NODE]);
      expect(await federation.pods('member2', namespace)).to.deep.equal([]);
      expect(await federation.find('member2', namespaces, { name: namespace })).to.equal(undefined);
      expect((await host.get(clusters, { name: 'member2' })).metadata?.finalizers ?? []).to.deep.equal([]);
    }, SLOW);
    await host.patch(clusters, { name: 'member2' }, { spec: { clusterTreeOptions: { enable: true } } }, MERGE);
    await eventually(() => host.get(nodes, { name: 'kosmos-member2' }), SLOW);
    await federation.clusterCondition('member2', 'Ready', 'True');
    await deleteIfPresent(host, namespaces, { name: namespace });
    await agree(rig);
  },
};

/** Waits until nothing of the scripts is left anywhere. */
export async function cleaned({ federation }: CrashRig): Promise<void> {
  await eventually(async () => {
    for (const { name } of federation.lab.clusters) {
      const { items } = await federation.client(name).list(namespaces);
      const left = items
        .map(({ metadata }) => metadata!.name!)
        .filter((one) => /^(restart|pods|membership|needs)-/.test(one));
      expect(left, `namespaces of ${name}`).to.deep.equal([]);
    }
  }, SLOW);
}

/** Waits until host and members agree, and checks that no pod ever ran twice. */
async function agree(rig: CrashRig, mayFail: readonly string[] = []): Promise<void> {
  await eventually(async () => expect((await disagreements(rig.federation, mayFail)).join('\n')).to.equal(''), SLOW);
  expect(rig.history.repeated, 'pods that ran twice').to.deep.equal([]);
}

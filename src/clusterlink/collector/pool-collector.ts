import type { IpPool } from '../../apis/cluster-network.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isAlreadyExists } from '../../kube/api-error.js';
import type { Informer } from '../../kube/informer.js';
import { ipPools } from '../../kube/network-resources.js';
import type { ObjectKey } from '../../kube/resource.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { ReconcileContext, Reconciler, Result } from '../../runtime/controller.js';
import { deleteExactly } from '../cluster/leave-link.js';
import { leadPasses } from '../cluster/lead-passes.js';
import type { LinkFeature, LinkMember } from '../cluster/link-member.js';
import { desiredPools, diffPools } from './ip-pools.js';

export interface PoolCollectorOptions {
  readonly clusters: Informer<Cluster>;
  readonly createController: ControllerFactory;
}

const GATHER_MS = 500;
const SYNCING_MS = 1_000;
const RESYNC_MS = 60_000;

/** Tells each Calico of the ranges of the other clusters, so that it leaves the source of packets to them alone. */
export function createPoolCollector({ clusters, createController }: PoolCollectorOptions): LinkFeature {
  const lead = async (member: LinkMember, signal: AbortSignal): Promise<void> => {
    if (member.config.cni !== 'calico') return;
    const reconciler = new PoolCollector(clusters, member);
    const onOtherChange = (listener: () => void): (() => void) =>
      clusters.addHandler({ onAdd: listener, onUpdate: listener, onDelete: listener });
    const passes = { name: 'link-ip-pools', reconciler, gatherMs: GATHER_MS, createController, onOtherChange };
    await leadPasses(member, passes, signal);
  };
  return { name: 'ip-pools', open: (member) => ({ lead: (signal) => lead(member, signal) }) };
}

/** Keeps the pools of one cluster that stand for others. */
export class PoolCollector implements Reconciler {
  readonly #clusters: Informer<Cluster>;
  readonly #member: LinkMember;

  constructor(clusters: Informer<Cluster>, member: LinkMember) {
    this.#clusters = clusters;
    this.#member = member;
  }

  reconcile(name: ObjectKey, context: ReconcileContext): Promise<Result> {
    return this.#member.obstacles.follow('an IPPool', context, () => this.#pass(name, context.signal));
  }

  async #pass(name: ObjectKey, signal: AbortSignal): Promise<Result> {
    const { client, network } = this.#member;
    const { state, objects } = network.facts.ipPools;
    if (state === 'unknown' || !this.#clusters.hasSynced) return { requeueAfterMs: SYNCING_MS };
    if (state === 'absent') return { requeueAfterMs: RESYNC_MS };
    const { create, remove } = diffPools(objects, desiredPools(name, this.#clusters.store.list(), objects));
    for (const pool of remove) await deleteExactly(client, ipPools, pool, signal);
    for (const pool of create) await this.#create(pool, signal);
    return { requeueAfterMs: RESYNC_MS };
  }

  async #create(pool: IpPool, signal: AbortSignal): Promise<void> {
    try {
      await this.#member.client.create(ipPools, pool, { fieldManager: FIELD_MANAGER, signal });
    } catch (error) {
      // The cache is behind; it will show the pool in a moment, and then it is looked at again.
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

import type { IpPool } from '../../apis/cluster-network.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isAlreadyExists } from '../../kube/api-error.js';
import type { Informer } from '../../kube/informer.js';
import { ipPools } from '../../kube/network-resources.js';
import type { ObjectKey } from '../../kube/resource.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import { deleteExactly } from '../cluster/leave-link.js';
import type { LinkFeature, LinkMember, LinkModule } from '../cluster/link-member.js';
import { desiredPools, diffPools } from './ip-pools.js';

export interface PoolCollectorOptions {
  readonly clusters: Informer<Cluster>;
  readonly createController: ControllerFactory;
}

const GATHER_MS = 500;
const SYNCING_MS = 1_000;
const RESYNC_MS = 60_000;

/** Tells each Calico of the ranges of the other clusters, so that it leaves the source of packets to them alone. */
export function createPoolCollector(options: PoolCollectorOptions): LinkFeature {
  return { name: 'ip-pools', open: (member) => new PoolCollectorModule(options, member) };
}

class PoolCollectorModule implements LinkModule {
  readonly #options: PoolCollectorOptions;
  readonly #member: LinkMember;

  constructor(options: PoolCollectorOptions, member: LinkMember) {
    this.#options = options;
    this.#member = member;
  }

  async lead(signal: AbortSignal): Promise<void> {
    const { name, leaving, cni } = this.#member.config;
    if (leaving || cni !== 'calico') return;
    const { clusters, createController } = this.#options;
    const reconciler = new PoolCollector(clusters, this.#member);
    const controller = createController({ name: 'link-ip-pools', cluster: name, reconciler });
    const enqueue = (): void => controller.enqueueAfter(name, GATHER_MS);
    const stops = [
      this.#member.onUpdate(enqueue),
      clusters.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
    ];
    controller.enqueue(name);
    try {
      await controller.run(signal);
    } finally {
      for (const stop of stops) stop();
    }
  }
}

/** Keeps the pools of one cluster that stand for others. */
export class PoolCollector implements Reconciler {
  readonly #clusters: Informer<Cluster>;
  readonly #member: LinkMember;

  constructor(clusters: Informer<Cluster>, member: LinkMember) {
    this.#clusters = clusters;
    this.#member = member;
  }

  async reconcile(name: ObjectKey, { signal }: { readonly signal: AbortSignal }): Promise<Result> {
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

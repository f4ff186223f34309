import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { objectKey } from '../../kube/resource.js';
import type { Store } from '../../kube/store.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { Member } from '../cluster/member.js';

export interface WarmUpOptions {
  readonly clusters: Pick<Store<Cluster>, 'list'>;
  /** Whether a Cluster has virtual nodes at all. */
  readonly isWanted: (cluster: Cluster) => boolean;
  /** Whether the Cluster can't be connected because of a mistake in it. */
  readonly isBroken: (cluster: string) => boolean;
  readonly member: (cluster: string) => { readonly pods: Pick<Member['pods'], 'hasSynced'> } | undefined;
  readonly hostPods: Pick<HostPods, 'isCurrent'>;
  /** Virtual nodes that are to be served and are not yet. */
  readonly unserved: () => readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a member that doesn't answer can hold it up. @default 10000 */
  readonly limitMs?: number | undefined;
}

const LIMIT_MS = 10_000;

/**
 * Whether a replica that has just started can answer for all virtual nodes. The Service of the kubelet API must not send
 * sessions to one that doesn't know their pods yet. Once it is over it stays so: what fails later fails for one member.
 */
export class WarmUp {
  readonly #options: WarmUpOptions;
  #startedAt: number | undefined;
  #over = false;

  constructor(options: WarmUpOptions) {
    this.#options = options;
  }

  /** Looks again; to be called once the caches of the host are complete. */
  get over(): boolean {
    if (this.#over) return true;
    const { clock, logger, limitMs = LIMIT_MS } = this.#options;
    this.#startedAt ??= clock.monotonic();
    const cold = this.#cold();
    if (cold.length > 0 && clock.monotonic() - this.#startedAt < limitMs) return false;
    if (cold.length > 0) logger.warn('ready although not all virtual nodes can be answered for', { cold });
    this.#over = true;
    return true;
  }

  /** Clusters and virtual nodes that nothing can be said of yet. */
  #cold(): readonly string[] {
    const { clusters, isWanted, isBroken, member, hostPods, unserved } = this.#options;
    const names = clusters.list().filter(isWanted).map(objectKey);
    const cold = names.filter(
      (name) => !isBroken(name) && (member(name)?.pods.hasSynced !== true || !hostPods.isCurrent(name)),
    );
    return [...cold, ...unserved()];
  }
}

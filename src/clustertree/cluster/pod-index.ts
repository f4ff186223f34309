import type { Pod } from '../../apis/core.js';
import { objectKey, type ObjectKey } from '../../kube/resource.js';
import type { HostPods } from './host-pods.js';

export interface PodIndexOptions {
  readonly clusterName: string;
  readonly hostPods: Pick<HostPods, 'get' | 'list' | 'addListener'>;
  /** The things that a pod uses, as keys of the caller's choice. Pure. */
  readonly keysOf: (hostPod: Pod) => readonly string[];
  /** Called with each thing that a pod has begun or ceased to use. */
  readonly onChange: (key: string) => void;
}

const NONE: ReadonlySet<ObjectKey> = new Set();

/**
 * Which host pods on a Cluster's virtual nodes use which things. Made from the cache of host pods alone, so it is as
 * true as that is: whether the cache is current is for the caller to ask before anything is taken for unused.
 */
export class PodIndex {
  readonly #options: PodIndexOptions;
  readonly #keysOf = new Map<ObjectKey, readonly string[]>();
  readonly #podsOf = new Map<string, Set<ObjectKey>>();

  constructor(options: PodIndexOptions) {
    this.#options = options;
  }

  /** Follows the cache until the returned function is called. */
  start(): () => void {
    const { clusterName, hostPods } = this.#options;
    return hostPods.addListener(clusterName, (pod) => this.#refresh(pod));
  }

  /** Compares with the whole cache; for when nodes may have come or gone with all their pods. */
  refreshAll(): void {
    const { clusterName, hostPods } = this.#options;
    const present = new Set(hostPods.list(clusterName).map(objectKey));
    for (const pod of new Set([...present, ...this.#keysOf.keys()])) this.#refresh(pod);
  }

  /** Keys of the host pods that use it. */
  podsOf(key: string): ReadonlySet<ObjectKey> {
    return this.#podsOf.get(key) ?? NONE;
  }

  /** What a host pod uses. */
  usedBy(pod: ObjectKey): readonly string[] {
    return this.#keysOf.get(pod) ?? [];
  }

  /** Everything that is used. */
  keys(): readonly string[] {
    return [...this.#podsOf.keys()];
  }

  #refresh(pod: ObjectKey): void {
    const { clusterName, hostPods, keysOf, onChange } = this.#options;
    const hostPod = hostPods.get(clusterName, pod);
    const before = this.usedBy(pod);
    const after = hostPod === undefined ? [] : [...new Set(keysOf(hostPod))];
    const added = after.filter((key) => !before.includes(key));
    const removed = before.filter((key) => !after.includes(key));
    if (after.length === 0) this.#keysOf.delete(pod);
    else this.#keysOf.set(pod, after);
    for (const key of added) this.#podsOf.set(key, (this.#podsOf.get(key) ?? new Set()).add(pod));
    for (const key of removed) this.#remove(key, pod);
    for (const key of [...added, ...removed]) onChange(key);
  }

  #remove(key: string, pod: ObjectKey): void {
    const pods = this.#podsOf.get(key);
    pods?.delete(pod);
    if (pods?.size === 0) this.#podsOf.delete(key);
  }
}

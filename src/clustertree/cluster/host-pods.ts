import type { Pod } from '../../apis/core.js';
import type { Informer } from '../../kube/informer.js';
import { objectKey, type ObjectKey } from '../../kube/resource.js';
import type { Logger } from '../../lib/logger.js';

/** Called with the key of a host pod that appeared, changed or went; `initial` while a cache is filled. */
export type HostPodListener = (key: ObjectKey, initial: boolean) => void;

export interface HostPodsOptions {
  /** Makes an informer of host pods; `node` limits it to one virtual node, else `keep` says which pods stay in the cache. */
  readonly createInformer: (scope: { node: string } | { keep: (pod: Pod) => boolean }) => Informer<Pod>;
  readonly logger: Logger;
  /** Up to this many virtual nodes each have a watch of their own. */
  readonly maxNodeWatches?: number;
}

/** The API server has an index on `spec.nodeName`, yet each watch costs a connection. */
const MAX_NODE_WATCHES = 64;

interface Watch {
  readonly informer: Informer<Pod>;
  readonly stop: AbortController;
  done: Promise<void>;
}

/**
 * The host's pods on virtual nodes, seen by cluster. Up to 64 virtual nodes have one watch each; beyond that one watch of
 * all bound pods serves them all, and pods of other nodes are dropped while decoding.
 */
export class HostPods {
  readonly #options: HostPodsOptions;
  readonly #nodesOf = new Map<string, ReadonlySet<string>>();
  readonly #clusterOf = new Map<string, string>();
  readonly #watches = new Map<string, Watch>();
  readonly #listeners = new Map<string, Set<HostPodListener>>();
  #shared: Watch | undefined;
  #signal: AbortSignal | undefined;

  constructor(options: HostPodsOptions) {
    this.#options = options;
  }

  /** Says which virtual nodes a cluster has; an empty set forgets the cluster. */
  setNodes(cluster: string, nodes: ReadonlySet<string>): void {
    const previous = this.#nodesOf.get(cluster) ?? new Set<string>();
    if (previous.size === nodes.size && [...nodes].every((node) => previous.has(node))) return;
    for (const node of previous) this.#clusterOf.delete(node);
    for (const node of nodes) this.#clusterOf.set(node, cluster);
    if (nodes.size === 0) this.#nodesOf.delete(cluster);
    else this.#nodesOf.set(cluster, nodes);
    this.#rearrange([...nodes].some((node) => !previous.has(node)));
  }

  /** Whether the node is one of the cluster's virtual nodes. */
  hasNode(cluster: string, node: string): boolean {
    return this.#nodesOf.get(cluster)?.has(node) === true;
  }

  get(cluster: string, key: ObjectKey): Pod | undefined {
    const nodes = this.#nodesOf.get(cluster);
    if (nodes === undefined) return undefined;
    if (this.#shared !== undefined) {
      const pod = this.#shared.informer.store.get(key);
      return pod !== undefined && nodes.has(pod.spec?.nodeName ?? '') ? pod : undefined;
    }
    for (const node of nodes) {
      const pod = this.#watches.get(node)?.informer.store.get(key);
      if (pod !== undefined) return pod;
    }
    return undefined;
  }

  /** All cached pods on the cluster's virtual nodes. */
  list(cluster: string): readonly Pod[] {
    return [...(this.#nodesOf.get(cluster) ?? [])].flatMap((node) => this.listNode(node));
  }

  /** All cached pods on one virtual node. */
  listNode(node: string): readonly Pod[] {
    if (this.#shared === undefined) return this.#watches.get(node)?.informer.store.list() ?? [];
    return this.#shared.informer.store.list().filter((pod) => pod.spec?.nodeName === node);
  }

  /** Whether the cache of all of the cluster's virtual nodes is complete and its watches are connected. */
  isCurrent(cluster: string): boolean {
    const nodes = this.#nodesOf.get(cluster);
    if (nodes === undefined) return false;
    const watches = this.#shared === undefined ? [...nodes].map((node) => this.#watches.get(node)) : [this.#shared];
    return watches.every((watch) => watch?.informer.hasSynced === true && watch.informer.connected);
  }

  /** Resolves when the cluster's pods were read once; rejects when aborted. */
  async synced(cluster: string, signal: AbortSignal): Promise<void> {
    const nodes = this.#nodesOf.get(cluster) ?? new Set<string>();
    const watches = this.#shared === undefined ? [...nodes].map((node) => this.#watches.get(node)) : [this.#shared];
    await Promise.all(watches.map((watch) => watch?.informer.synced(signal)));
  }

  /** Hears of every change of the cluster's pods; what is cached already is reported at once. */
  addListener(cluster: string, listener: HostPodListener): () => void {
    const listeners = this.#listeners.get(cluster) ?? new Set();
    this.#listeners.set(cluster, listeners.add(listener));
    for (const pod of this.list(cluster)) listener(objectKey(pod), true);
    return () => listeners.delete(listener);
  }

  /** Takes over a pod that a write has just returned. */
  assume(pod: Pod): void {
    const watch = this.#shared ?? this.#watches.get(pod.spec?.nodeName ?? '');
    watch?.informer.assume(pod);
  }

  /** Starts all watches over at once; for when the host is back after an outage. */
  reconnect(): void {
    for (const { informer } of this.#allWatches()) informer.reconnect();
  }

  /** Watches until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#rearrange(true);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#signal = undefined;
    const watches = this.#allWatches();
    for (const watch of watches) watch.stop.abort();
    await Promise.all(watches.map((watch) => watch.done));
  }

  #allWatches(): readonly Watch[] {
    return [...this.#watches.values(), ...(this.#shared ? [this.#shared] : [])];
  }

  #rearrange(added: boolean): void {
    if (this.#signal === undefined) return;
    const wanted = new Set(this.#clusterOf.keys());
    if (wanted.size > (this.#options.maxNodeWatches ?? MAX_NODE_WATCHES)) {
      this.#stopNodes(new Set());
      if (this.#shared !== undefined && !added) return;
      this.#shared?.stop.abort();
      this.#shared = this.#start({ keep: (pod) => this.#clusterOf.has(pod.spec?.nodeName ?? '') });
      return;
    }
    this.#shared?.stop.abort();
    this.#shared = undefined;
    this.#stopNodes(wanted);
    for (const node of wanted) {
      if (!this.#watches.has(node)) this.#watches.set(node, this.#start({ node }));
    }
  }

  #stopNodes(wanted: ReadonlySet<string>): void {
    for (const [node, watch] of this.#watches) {
      if (wanted.has(node)) continue;
      watch.stop.abort();
      this.#watches.delete(node);
    }
  }

  #start(scope: { node: string } | { keep: (pod: Pod) => boolean }): Watch {
    const informer = this.#options.createInformer(scope);
    informer.addHandler({
      onAdd: (pod, initial) => this.#notify(pod, initial),
      onUpdate: (_old, pod) => this.#notify(pod, false),
      onDelete: (pod) => this.#notify(pod, false),
    });
    const stop = new AbortController();
    const done = informer.run(stop.signal).catch((error: unknown) => {
      this.#options.logger.error('watch of host pods failed', { error });
    });
    return { informer, stop, done };
  }

  #notify(pod: Pod, initial: boolean): void {
    const cluster = this.#clusterOf.get(pod.spec?.nodeName ?? '');
    if (cluster === undefined) return;
    for (const listener of this.#listeners.get(cluster) ?? []) listener(objectKey(pod), initial);
  }
}

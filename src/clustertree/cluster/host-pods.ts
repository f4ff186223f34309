import type { Node, Pod } from '../../apis/core.js';
import type { Informer } from '../../kube/informer.js';
import { objectKey, type ObjectKey } from '../../kube/resource.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { clusterOfNode } from './virtual-node.js';

/** Called with the key of a host pod that appeared, changed or went; `initial` while a cache is filled. */
export type HostPodListener = (key: ObjectKey, initial: boolean) => void;

/** Which host pods an informer is for: those on one node, or those that `keep` says. */
export type HostPodScope = { readonly node: string } | { readonly keep: (pod: Pod) => boolean };

export interface HostPodsOptions {
  readonly createInformer: (scope: HostPodScope) => Informer<Pod>;
  /** Virtual nodes of the host; they say whose a pod is. */
  readonly hostNodes: Pick<Informer<Node>, 'store' | 'hasSynced' | 'addHandler'>;
  readonly logger: Logger;
  /** Up to this many virtual nodes each have a watch of their own. */
  readonly maxNodeWatches?: number;
}

/** The API server has an index on `spec.nodeName`, yet each watch costs a connection. */
const MAX_NODE_WATCHES = 64;
const NO_NODES: ReadonlySet<string> = new Set();

interface Watch {
  readonly informer: Informer<Pod>;
  readonly stop: AbortController;
}

interface SharedWatch extends Watch {
  readonly covers: ReadonlySet<string>;
}

/**
 * The host's pods on virtual nodes, seen by cluster. Up to 64 virtual nodes have one watch each; beyond that one watch of
 * all bound pods serves them all, and pods of other nodes are dropped while decoding. A watch that is to be replaced goes
 * on until its successor is complete, so that nobody notices.
 *
 * A pod is a cluster's only when its node is: the nodes that a Cluster asks for may be somebody else's.
 */
export class HostPods {
  readonly #options: HostPodsOptions;
  readonly #nodesOf = new Map<string, ReadonlySet<string>>();
  readonly #watches = new Map<string, Watch>();
  /** Oldest first; more than one only while the last is being filled. */
  #shared: readonly SharedWatch[] = [];
  readonly #listeners = new Map<string, Set<HostPodListener>>();
  readonly #running = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;

  constructor(options: HostPodsOptions) {
    this.#options = options;
    options.hostNodes.addHandler({
      onAdd: (node) => this.#ownerChanged(node, undefined, clusterOfNode(node)),
      onUpdate: (old, node) => this.#ownerChanged(node, clusterOfNode(old), clusterOfNode(node)),
      onDelete: (node) => this.#ownerChanged(node, clusterOfNode(node), undefined),
    });
  }

  /** Says which virtual nodes a cluster has or wants; an empty set forgets the cluster. */
  setNodes(cluster: string, nodes: ReadonlySet<string>): void {
    const previous = this.#nodesOf.get(cluster) ?? NO_NODES;
    if (previous.size === nodes.size && [...nodes].every((node) => previous.has(node))) return;
    if (nodes.size === 0) this.#nodesOf.delete(cluster);
    else this.#nodesOf.set(cluster, nodes);
    this.#rearrange();
  }

  /** Whether the node is one of the cluster's virtual nodes, and not somebody else's of that name. */
  hasNode(cluster: string, node: string): boolean {
    return this.#nodesOf.get(cluster)?.has(node) === true && this.#ownerOf(node) === cluster;
  }

  get(cluster: string, key: ObjectKey): Pod | undefined {
    for (const informer of this.#sources(cluster)) {
      const pod = informer?.store.get(key);
      if (pod !== undefined && this.hasNode(cluster, pod.spec?.nodeName ?? '')) return pod;
    }
    return undefined;
  }

  /** All cached pods on the cluster's virtual nodes. */
  list(cluster: string): readonly Pod[] {
    const isServed = (pod: Pod, informer: Informer<Pod>): boolean => {
      const node = pod.spec?.nodeName ?? '';
      return this.hasNode(cluster, node) && this.#source(node) === informer;
    };
    return [...this.#sources(cluster)].flatMap(
      (informer) => informer?.store.list().filter((pod) => isServed(pod, informer)) ?? [],
    );
  }

  /** All cached pods on one node, whosever it is. */
  listNode(node: string): readonly Pod[] {
    const pods = this.#source(node)?.store.list() ?? [];
    return pods.filter((pod) => pod.spec?.nodeName === node);
  }

  /** Whether the cache of all of the cluster's virtual nodes is complete and its watches are connected. */
  isCurrent(cluster: string): boolean {
    if (!this.#nodesOf.has(cluster) || !this.#options.hostNodes.hasSynced) return false;
    return [...this.#sources(cluster)].every((informer) => informer?.hasSynced === true && informer.connected);
  }

  /** Hears of every change of the cluster's pods; what is cached already is reported at once. */
  addListener(cluster: string, listener: HostPodListener): () => void {
    const listeners = this.#listeners.get(cluster) ?? new Set();
    this.#listeners.set(cluster, listeners.add(listener));
    for (const pod of this.list(cluster)) listener(objectKey(pod), true);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(cluster) === listeners) this.#listeners.delete(cluster);
    };
  }

  /** Takes over a pod that a write has just returned. */
  assume(pod: Pod): void {
    const node = pod.spec?.nodeName ?? '';
    this.#watches.get(node)?.informer.assume(pod);
    for (const watch of this.#shared) if (watch.covers.has(node)) watch.informer.assume(pod);
  }

  /** Starts all watches over at once; for when the host is back after an outage. */
  reconnect(): void {
    for (const { informer } of [...this.#watches.values(), ...this.#shared]) informer.reconnect();
  }

  /** Watches until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#rearrange();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#signal = undefined;
    for (const watch of [...this.#watches.values(), ...this.#shared]) watch.stop.abort();
    await Promise.all(this.#running);
  }

  #ownerOf(node: string): string | undefined {
    return clusterOfNode(this.#options.hostNodes.store.get(node));
  }

  /** The cache that answers for a node: its own watch once that is complete, until then a shared one that is. */
  #source(node: string): Informer<Pod> | undefined {
    const own = this.#watches.get(node)?.informer;
    if (own?.hasSynced === true) return own;
    return this.#shared.findLast(({ covers, informer }) => covers.has(node) && informer.hasSynced)?.informer ?? own;
  }

  #sources(cluster: string): ReadonlySet<Informer<Pod> | undefined> {
    return new Set([...(this.#nodesOf.get(cluster) ?? NO_NODES)].map((node) => this.#source(node)));
  }

  #wanted(): ReadonlySet<string> {
    return new Set([...this.#nodesOf.values()].flatMap((nodes) => [...nodes]));
  }

  #isShared(wanted: ReadonlySet<string>): boolean {
    return wanted.size > (this.#options.maxNodeWatches ?? MAX_NODE_WATCHES);
  }

  /** Starts the watches that are missing, then ends those that are no longer needed. */
  #rearrange(): void {
    if (this.#signal === undefined || this.#signal.aborted) return;
    const wanted = this.#wanted();
    if (this.#isShared(wanted)) this.#share(wanted);
    else for (const node of wanted) if (!this.#watches.has(node)) this.#watches.set(node, this.#start({ node }));
    this.#retire();
  }

  #share(wanted: ReadonlySet<string>): void {
    const newest = this.#shared.at(-1);
    if (newest !== undefined && [...wanted].every((node) => newest.covers.has(node))) return;
    const unfinished = this.#shared.filter(({ informer }) => !informer.hasSynced);
    const keep = (pod: Pod): boolean => wanted.has(pod.spec?.nodeName ?? '');
    this.#shared = [
      ...this.#shared.filter((watch) => !unfinished.includes(watch)),
      { ...this.#start({ keep }), covers: wanted },
    ];
    for (const watch of unfinished) this.#end(watch);
  }

  /** Ends what others have replaced, or nobody wants. */
  #retire(): void {
    const wanted = this.#wanted();
    const newest = this.#shared.at(-1);
    const isReplaced = this.#isShared(wanted) && newest?.informer.hasSynced === true;
    for (const [node, watch] of [...this.#watches]) {
      if (wanted.has(node) && !isReplaced) continue;
      this.#watches.delete(node);
      this.#end(watch);
    }
    const old = this.#isShared(wanted)
      ? this.#shared.filter((watch) => isReplaced && watch !== newest)
      : this.#shared.filter(() => [...wanted].every((node) => this.#watches.get(node)?.informer.hasSynced));
    this.#shared = this.#shared.filter((watch) => !old.includes(watch));
    for (const watch of old) this.#end(watch);
  }

  #start(scope: HostPodScope): Watch {
    const informer = this.#options.createInformer(scope);
    informer.addHandler({
      onAdd: (pod, initial) => this.#notify(pod, initial),
      onUpdate: (_old, pod) => this.#notify(pod, false),
      onDelete: (pod) => this.#notify(pod, false),
    });
    const stop = new AbortController();
    const running = informer
      .run(stop.signal)
      .catch((error: unknown) =>
        this.#options.logger.error('watch of host pods failed', { error: errorMessage(error) }),
      )
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
    informer.synced(stop.signal).then(
      () => this.#retire(),
      () => undefined,
    );
    return { informer, stop };
  }

  /** What it knew may be gone in its successor without anybody having heard of it. */
  #end(watch: Watch): void {
    watch.stop.abort(new Error('the watch was replaced'));
    for (const pod of watch.informer.store.list()) this.#notify(pod, true);
  }

  #notify(pod: Pod, initial: boolean): void {
    const cluster = this.#ownerOf(pod.spec?.nodeName ?? '');
    if (cluster !== undefined) this.#tell(cluster, pod, initial);
  }

  #ownerChanged(node: Node, before: string | undefined, after: string | undefined): void {
    if (before === after) return;
    for (const pod of this.listNode(node.metadata?.name ?? '')) {
      for (const cluster of [before, after]) if (cluster !== undefined) this.#tell(cluster, pod, false);
    }
  }

  #tell(cluster: string, pod: Pod, initial: boolean): void {
    for (const listener of this.#listeners.get(cluster) ?? []) listener(objectKey(pod), initial);
  }
}

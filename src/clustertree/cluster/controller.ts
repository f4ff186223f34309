import type { Node } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_FINALIZER, FIELD_MANAGER } from '../../apis/names.js';
import { isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { clusters } from '../../kube/kosmos-resources.js';
import type { ObjectKey } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { EventSink } from '../../runtime/event-sink.js';
import type { ClusterState } from './conditions.js';
import type { MemberConnection } from './connection.js';
import type { HostPods } from './host-pods.js';
import { Leave } from './leave.js';
import { cleanupTimeoutOf } from './options.js';
import { isRegistered, isRoot, isWanted, type MemberRegistry } from './registry.js';
import { clusterStatusPatch, type ClusterReport } from './status.js';
import { clusterOfNode } from './virtual-node.js';

export interface ClusterControllerOptions {
  readonly host: KubeClient;
  readonly clusters: Informer<Cluster>;
  readonly hostNodes: Informer<Node>;
  readonly hostPods: HostPods;
  readonly registry: Pick<MemberRegistry, 'connection' | 'problem'>;
  readonly events: EventSink<Cluster>;
  readonly clock: Clock;
}

const LEAVE_INTERVAL_MS = 1_000;
/** While caches are being filled there is nobody to call us. */
const SYNCING_INTERVAL_MS = 1_000;

/** Says in each Cluster how its member is, and takes members out that are deleted or switched off. Leader only. */
export class ClusterController implements Reconciler {
  readonly #options: ClusterControllerOptions;
  readonly #leaving = new Map<string, Leave>();

  constructor(options: ClusterControllerOptions) {
    this.#options = options;
  }

  async reconcile(name: ObjectKey, context: { readonly signal: AbortSignal }): Promise<Result> {
    const { signal } = context;
    const cluster = this.#options.clusters.store.get(name);
    const registered = cluster !== undefined && isRegistered(cluster);
    if (cluster !== undefined && registered && !isWanted(cluster)) return this.#leave(name, cluster, signal);
    this.#leaving.delete(name);
    if (cluster === undefined) return {};
    if (isRoot(cluster)) return this.#report(cluster, { kind: 'host' }, signal);
    if (isWanted(cluster)) {
      const current = registered ? cluster : await this.#setFinalizer(cluster, true, signal);
      return current === undefined ? {} : this.#report(current, this.#state(name), signal);
    }
    return cluster.metadata?.deletionTimestamp ? {} : this.#report(cluster, { kind: 'disabled' }, signal);
  }

  #state(name: string): ClusterState {
    const { registry } = this.#options;
    const invalid = registry.problem(name);
    if (invalid !== undefined) return { kind: 'invalid', ...invalid };
    const connection = registry.connection(name);
    const result = connection?.probe.result;
    if (connection === undefined || result === undefined) return { kind: 'connecting' };
    if (!result.reachable) return { kind: 'unreachable', reason: result.reason, message: result.message };
    const { synced, problem, reports } = connection;
    return { kind: 'connected', synced, problem, conflicts: reports.flatMap(({ conflicts }) => conflicts) };
  }

  async #report(cluster: Cluster, state: ClusterState, signal: AbortSignal): Promise<Result> {
    const { host, clock, events } = this.#options;
    const name = cluster.metadata?.name ?? '';
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const patch = clusterStatusPatch(cluster, this.#reportOf(name, cluster, state), now);
    if (patch !== undefined) {
      try {
        const options = { type: 'merge', subresource: 'status', fieldManager: FIELD_MANAGER, signal } as const;
        this.#options.clusters.assume(await host.patch(clusters, { name }, patch, options));
      } catch (error) {
        if (isNotFound(error)) return {};
        if (isConflict(error)) return { requeueAfterMs: SYNCING_INTERVAL_MS };
        throw error;
      }
      if (patch.status.conditions !== undefined) {
        for (const { reason, message } of warnings(state)) events.warn(cluster, reason, message);
      }
    }
    return state.kind === 'connected' && !state.synced ? { requeueAfterMs: SYNCING_INTERVAL_MS } : {};
  }

  #reportOf(name: string, cluster: Cluster, state: ClusterState): ClusterReport {
    const connection = this.#options.registry.connection(name);
    const [first] = connection?.reports ?? [];
    return {
      state,
      kubernetesVersion: connection?.probe.result?.version,
      mode: modeOf(cluster, state, connection),
      nodes: connection?.synced === true ? first?.nodes : undefined,
      virtualNodes: this.#virtualNodes(name).map((node) => node.metadata?.name ?? ''),
    };
  }

  #virtualNodes(name: string): readonly Node[] {
    return this.#options.hostNodes.store.list().filter((node) => clusterOfNode(node) === name);
  }

  async #leave(name: string, cluster: Cluster, signal: AbortSignal): Promise<Result> {
    const leave = this.#leaving.get(name) ?? this.#startLeave(name);
    this.#leaving.set(name, leave);
    const obstacle = this.#obstacle(name);
    const progress = obstacle === undefined ? await leave.step(signal) : { done: false as const, step: obstacle };
    if (!progress.done) {
      await this.#report(cluster, { kind: 'leaving', message: progress.step }, signal);
      return { requeueAfterMs: LEAVE_INTERVAL_MS };
    }
    const left = progress.left.join('; ');
    if (left !== '') this.#options.events.warn(cluster, 'LeftBehind', `left in the member: ${left}`);
    await this.#setFinalizer(cluster, false, signal);
    this.#leaving.delete(name);
    return {};
  }

  /** What must be waited for before anything may be taken away: our own view of it. */
  #obstacle(name: string): string | undefined {
    const { hostNodes, hostPods, registry } = this.#options;
    // As long as it doesn't know that it is leaving, it would make nodes again that are deleted here.
    if (registry.connection(name)?.leaving === false) return 'waiting for the connection to the member to be replaced';
    const known = hostNodes.hasSynced && (this.#virtualNodes(name).length === 0 || hostPods.isCurrent(name));
    return known ? undefined : 'waiting for the nodes and pods of the host to be known';
  }

  #startLeave(name: string): Leave {
    const { host, clock, clusters: cache, registry, hostPods } = this.#options;
    return new Leave({
      ...{ host, clock },
      virtualNodes: () => this.#virtualNodes(name),
      hostPods: () => hostPods.list(name),
      member: () => registry.connection(name),
      problem: () => registry.problem(name)?.message,
      timeoutMs: () => {
        const cluster = cache.store.get(name);
        if (cluster === undefined) return 0;
        // A member that has never answered holds nothing of ours, so there is nothing to wait for.
        const neverJoined = cluster.status?.kubernetesVersion === undefined && this.#virtualNodes(name).length === 0;
        return neverJoined ? 0 : cleanupTimeoutOf(cluster);
      },
    });
  }

  /**
   * The Cluster as it is then; undefined when it is gone. The list is replaced as a whole, so nobody else may have changed
   * it meanwhile.
   */
  async #setFinalizer(cluster: Cluster, present: boolean, signal: AbortSignal): Promise<Cluster | undefined> {
    const { name = '', uid, resourceVersion, finalizers = [] } = cluster.metadata ?? {};
    const others = finalizers.filter((finalizer) => finalizer !== CLUSTER_FINALIZER);
    const patch = {
      metadata: { uid, resourceVersion, finalizers: present ? [...others, CLUSTER_FINALIZER] : others },
    };
    try {
      const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
      const patched = await this.#options.host.patch(clusters, { name }, patch, options);
      this.#options.clusters.assume(patched);
      return patched;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return undefined;
    }
  }
}

/** While a cluster leaves, its mode is what it was. */
function modeOf(
  cluster: Cluster,
  state: ClusterState,
  connection: MemberConnection | undefined,
): ClusterReport['mode'] {
  if (state.kind === 'host' || state.kind === 'disabled') return undefined;
  return state.kind === 'leaving' ? cluster.status?.mode : connection?.config.mode;
}

function warnings(state: ClusterState): readonly { readonly reason: string; readonly message: string }[] {
  if (state.kind === 'invalid' || state.kind === 'unreachable') return [state];
  if (state.kind !== 'connected') return [];
  const conflicts = state.conflicts.map((message) => ({ reason: 'NodeConflict', message }));
  return state.problem === undefined ? conflicts : [...conflicts, { reason: 'ListFailed', message: state.problem }];
}

import type { Node } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import {
  CLUSTER_FINALIZER,
  CLUSTER_ROLE_ANNOTATION,
  CLUSTER_ROLE_ROOT,
  FIELD_MANAGER,
  NODE_CLUSTER_ANNOTATION,
} from '../../apis/names.js';
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
import { DEFAULT_CLEANUP_TIMEOUT_MS } from './options.js';
import type { MemberRegistry } from './registry.js';
import { clusterStatusPatch, type ClusterReport } from './status.js';

export interface ClusterControllerOptions {
  readonly host: KubeClient;
  readonly clusters: Informer<Cluster>;
  readonly hostNodes: Informer<Node>;
  readonly hostPods: HostPods;
  readonly registry: MemberRegistry;
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
    const cluster = this.#options.clusters.store.get(name);
    if (cluster === undefined) {
      this.#leaving.delete(name);
      return {};
    }
    if (isRoot(cluster)) return this.#report(cluster, { kind: 'host' }, context.signal);
    const registered = cluster.metadata?.finalizers?.includes(CLUSTER_FINALIZER) === true;
    if (isWanted(cluster)) {
      this.#leaving.delete(name);
      if (!registered) await this.#setFinalizer(cluster, true, context.signal);
      return this.#report(cluster, this.#state(name), context.signal);
    }
    if (registered) return this.#leave(cluster, context.signal);
    return cluster.metadata?.deletionTimestamp ? {} : this.#report(cluster, { kind: 'disabled' }, context.signal);
  }

  #state(name: string): ClusterState {
    const problem = this.#options.registry.problem(name);
    if (problem !== undefined) return { kind: 'invalid', ...problem };
    const connection = this.#options.registry.connection(name);
    const result = connection?.probe.result;
    if (connection === undefined || result === undefined) return { kind: 'connecting' };
    if (!result.reachable) return { kind: 'unreachable', reason: result.reason, message: result.message };
    const conflicts = connection.reports.flatMap((report) => report.conflicts);
    return { kind: 'connected', synced: connection.synced, conflicts };
  }

  async #report(cluster: Cluster, state: ClusterState, signal: AbortSignal): Promise<Result> {
    const { host, clock, events } = this.#options;
    const name = cluster.metadata?.name ?? '';
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const patch = clusterStatusPatch(cluster, this.#reportOf(name, state), now);
    if (patch !== undefined) {
      try {
        const options = { type: 'merge', subresource: 'status', fieldManager: FIELD_MANAGER, signal } as const;
        this.#options.clusters.assume(await host.patch(clusters, { name }, patch, options));
      } catch (error) {
        if (isNotFound(error)) return {};
        if (isConflict(error)) return { requeueAfterMs: SYNCING_INTERVAL_MS };
        throw error;
      }
      if (state.kind === 'connected') for (const text of state.conflicts) events.warn(cluster, 'NodeConflict', text);
      if (state.kind === 'invalid' || state.kind === 'unreachable') events.warn(cluster, state.reason, state.message);
    }
    return state.kind === 'connected' && !state.synced ? { requeueAfterMs: SYNCING_INTERVAL_MS } : {};
  }

  #reportOf(name: string, state: ClusterState): ClusterReport {
    const connection = this.#options.registry.connection(name);
    const [first] = connection?.reports ?? [];
    return {
      state,
      kubernetesVersion: connection?.probe.result?.version,
      mode: state.kind === 'host' || state.kind === 'disabled' ? undefined : connection?.config.mode,
      nodes: connection?.synced === true ? first?.nodes : undefined,
      virtualNodes: this.#virtualNodes(name).map((node) => node.metadata?.name ?? ''),
    };
  }

  #virtualNodes(name: string): readonly Node[] {
    const all = this.#options.hostNodes.store.list();
    return all.filter((node) => node.metadata?.annotations?.[NODE_CLUSTER_ANNOTATION] === name);
  }

  async #leave(cluster: Cluster, signal: AbortSignal): Promise<Result> {
    const { hostNodes, hostPods, events } = this.#options;
    const name = cluster.metadata?.name ?? '';
    if (!hostNodes.hasSynced || (this.#virtualNodes(name).length > 0 && !hostPods.isCurrent(name))) {
      return { requeueAfterMs: LEAVE_INTERVAL_MS };
    }
    const leave = this.#leaving.get(name) ?? this.#startLeave(name);
    this.#leaving.set(name, leave);
    const progress = await leave.step(signal);
    if (!progress.done) {
      await this.#report(cluster, { kind: 'leaving', message: progress.step }, signal);
      return { requeueAfterMs: LEAVE_INTERVAL_MS };
    }
    this.#leaving.delete(name);
    if (progress.left.length > 0) events.warn(cluster, 'LeftBehind', `left in the member: ${progress.left.join('; ')}`);
    await this.#setFinalizer(cluster, false, signal);
    return {};
  }

  #startLeave(name: string): Leave {
    const { host, clock, registry, hostPods } = this.#options;
    const connection = (): MemberConnection | undefined => registry.connection(name);
    return new Leave({
      ...{ host, clock },
      virtualNodes: () => this.#virtualNodes(name),
      hostPods: () => hostPods.list(name),
      member: connection,
      timeoutMs: connection()?.config.cleanupTimeoutMs ?? DEFAULT_CLEANUP_TIMEOUT_MS,
    });
  }

  /** The list is replaced as a whole, so nobody else may have changed it meanwhile. */
  async #setFinalizer(cluster: Cluster, present: boolean, signal: AbortSignal): Promise<void> {
    const { name = '', uid, resourceVersion, finalizers = [] } = cluster.metadata ?? {};
    const others = finalizers.filter((finalizer) => finalizer !== CLUSTER_FINALIZER);
    const patch = {
      metadata: { uid, resourceVersion, finalizers: present ? [...others, CLUSTER_FINALIZER] : others },
    };
    try {
      const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
      this.#options.clusters.assume(await this.#options.host.patch(clusters, { name }, patch, options));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function isRoot(cluster: Cluster): boolean {
  return cluster.metadata?.annotations?.[CLUSTER_ROLE_ANNOTATION] === CLUSTER_ROLE_ROOT;
}

function isWanted(cluster: Cluster): boolean {
  return cluster.metadata?.deletionTimestamp === undefined && cluster.spec.clusterTreeOptions?.enable !== false;
}

import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { FIELD_MANAGER, LINK_FINALIZER } from '../../apis/names.js';
import type { ConnectionProblem } from '../../clustertree/cluster/connection-registry.js';
import { cleanupTimeoutOf } from '../../clustertree/cluster/options.js';
import { isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { clusters } from '../../kube/kosmos-resources.js';
import type { ObjectKey } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { EventSink } from '../../runtime/event-sink.js';
import type { LinkConnection } from '../cluster/connection.js';
import { cleanLinkedCluster, removeClusterNodes } from '../cluster/leave-link.js';
import { isLinkRegistered, isLinkWanted } from '../cluster/link-config.js';
import { linkStatusPatch, type LinkReport } from '../cluster/link-status.js';
import { reportOf } from './link-report.js';

export interface LinkControllerOptions {
  readonly host: KubeClient;
  readonly clusters: Informer<Cluster>;
  readonly clusterNodes: Informer<ClusterNode>;
  readonly registry: {
    connection(cluster: string): LinkConnection | undefined;
    problem(cluster: string): ConnectionProblem | undefined;
  };
  /** What the planner found wrong with a Cluster. */
  readonly planProblems: (cluster: string) => readonly string[];
  /** Told how many nodes take part and how many of them have what was planned. */
  readonly onNodes: (cluster: string, nodes: { readonly ready: number; readonly total: number }) => void;
  /** Told the reason of the condition. */
  readonly onCondition: (cluster: string, reason: string) => void;
  readonly events: EventSink<Cluster>;
  readonly clock: Clock;
}

const RETRY_MS = 1_000;
const RESYNC_MS = 30_000;

/** Says in each Cluster which ranges it has and how its link is, and takes clusters out. Leader only. */
export class LinkController implements Reconciler {
  readonly #options: LinkControllerOptions;
  readonly #leavingSince = new Map<string, number>();

  constructor(options: LinkControllerOptions) {
    this.#options = options;
  }

  async reconcile(name: ObjectKey, { signal }: { readonly signal: AbortSignal }): Promise<Result> {
    const cluster = this.#options.clusters.store.get(name);
    if (cluster === undefined) {
      this.#leavingSince.delete(name);
      return {};
    }
    if (isLinkWanted(cluster)) return this.#keep(name, cluster, signal);
    if (isLinkRegistered(cluster)) return this.#leave(name, cluster, signal);
    this.#leavingSince.delete(name);
    const options = cluster.spec.clusterLinkOptions;
    const disabled = options !== undefined && cluster.metadata?.deletionTimestamp === undefined;
    return this.#write(cluster, { condition: disabled ? DISABLED : undefined }, signal);
  }

  async #keep(name: string, cluster: Cluster, signal: AbortSignal): Promise<Result> {
    const { registry, clusterNodes, planProblems, onNodes, onCondition } = this.#options;
    this.#leavingSince.delete(name);
    const current = isLinkRegistered(cluster) ? cluster : await this.#setFinalizer(cluster, true, signal);
    if (current === undefined) return {};
    const connection = registry.connection(name);
    const report = reportOf({
      cluster: current,
      connection,
      invalid: registry.problem(name),
      clusterNodes: clusterNodes.store.list().filter(({ spec }) => spec.clusterName === name),
      planProblems: planProblems(name),
    });
    if (report.nodes !== undefined) onNodes(name, report.nodes);
    if (report.condition !== undefined) onCondition(name, report.condition.reason);
    const result = await this.#write(current, report, signal);
    // While caches are being filled there is nobody to call us.
    const settled = connection?.synced === true && report.condition?.status === 'True';
    return { requeueAfterMs: result.requeueAfterMs ?? (settled ? RESYNC_MS : RETRY_MS) };
  }

  async #write(cluster: Cluster, report: LinkReport, signal: AbortSignal): Promise<Result> {
    const { host, clock, clusters: cache, events } = this.#options;
    const name = cluster.metadata?.name ?? '';
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const patch = linkStatusPatch(cluster, report, now);
    if (patch === undefined) return {};
    try {
      const options = { type: 'merge', subresource: 'status', fieldManager: FIELD_MANAGER, signal } as const;
      cache.assume(await host.patch(clusters, { name }, patch, options));
    } catch (error) {
      if (isNotFound(error)) return {};
      if (isConflict(error)) return { requeueAfterMs: RETRY_MS };
      throw error;
    }
    const { condition } = report;
    const isWarning = condition !== undefined && WARNINGS.includes(condition.reason);
    if (patch.status.conditions !== undefined && isWarning) events.warn(cluster, condition.reason, condition.message);
    return {};
  }

  async #leave(name: string, cluster: Cluster, signal: AbortSignal): Promise<Result> {
    const { clock, clusterNodes, host, events } = this.#options;
    const since = this.#leavingSince.get(name) ?? clock.monotonic();
    this.#leavingSince.set(name, since);
    const isExpired = clock.monotonic() - since >= cleanupTimeoutOf(cluster);
    const left = await this.#clean(name, !isExpired, signal);
    if (left !== undefined && !isExpired) {
      const message = `waiting for ${left}`;
      const gateways = { gateway: undefined, standbys: [] };
      await this.#write(cluster, { condition: { status: 'False', reason: 'Leaving', message }, gateways }, signal);
      return { requeueAfterMs: RETRY_MS };
    }
    if (left !== undefined) events.warn(cluster, 'LeftBehind', `left of ClusterLink in the cluster: ${left}`);
    const own = clusterNodes.store.list().filter(({ spec }) => spec.clusterName === name);
    await removeClusterNodes(host, own, signal);
    await this.#setFinalizer(cluster, false, signal);
    this.#leavingSince.delete(name);
    return {};
  }

  /** What is left in the cluster, or why nobody knows. */
  async #clean(name: string, isPatient: boolean, signal: AbortSignal): Promise<string | undefined> {
    const { registry, clusterNodes } = this.#options;
    const connection = registry.connection(name);
    if (connection === undefined) return registry.problem(name)?.message ?? 'the connection to the cluster';
    // As long as it doesn't know that it is leaving, it would make again what is deleted here.
    if (!connection.config.leaving) return 'the connection to the cluster to be replaced';
    if (!connection.synced || !clusterNodes.hasSynced)
      return connection.problem ?? 'what is in the cluster to be known';
    if (!connection.nodeConfigs.connected) return connection.problem ?? 'the cluster to answer';
    try {
      return await cleanLinkedCluster(connection, isPatient, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return errorMessage(error);
    }
  }

  /** The Cluster as it is then; undefined when it is gone. */
  async #setFinalizer(cluster: Cluster, present: boolean, signal: AbortSignal): Promise<Cluster | undefined> {
    const { name = '', uid, resourceVersion, finalizers = [] } = cluster.metadata ?? {};
    const others = finalizers.filter((finalizer) => finalizer !== LINK_FINALIZER);
    const wanted = present ? [...others, LINK_FINALIZER] : others;
    try {
      const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
      const patch = { metadata: { uid, resourceVersion, finalizers: wanted } };
      const patched = await this.#options.host.patch(clusters, { name }, patch, options);
      this.#options.clusters.assume(patched);
      return patched;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return undefined;
    }
  }
}

const DISABLED = { status: 'False', reason: 'Disabled', message: 'clusterLinkOptions.enable is false' } as const;
/** What somebody has to do something about. */
const WARNINGS: readonly string[] = [
  ...['InvalidSpec', 'InvalidKubeconfig', 'KubeconfigSecretMissing', 'CIDRsMissing'],
  ...['PlanProblem', 'ListFailed', 'NameConflict', 'WriteFailed', 'NoGateway', 'AgentsSilent'],
];

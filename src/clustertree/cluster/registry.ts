import type { Node } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import {
  CLUSTER_FINALIZER,
  CLUSTER_ROLE_ANNOTATION,
  CLUSTER_ROLE_ROOT,
  NODE_CLUSTER_ANNOTATION,
} from '../../apis/names.js';
import { isNotFound } from '../../kube/api-error.js';
import type { Informer } from '../../kube/informer.js';
import type { ObjectKey } from '../../kube/resource.js';
import { type ErrorCode, errorMessage, FederationError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { InvalidReason } from './conditions.js';
import type { MemberConnection } from './connection.js';
import type { HostPods } from './host-pods.js';
import { compileCluster, type ClusterConfig } from './options.js';

/** Why a Cluster has no connection. */
export interface ConnectionProblem {
  readonly reason: InvalidReason;
  readonly message: string;
}

export interface RegistryOptions {
  readonly clusters: Informer<Cluster>;
  /** Virtual nodes in the host. */
  readonly hostNodes: Informer<Node>;
  readonly hostPods: HostPods;
  /** Reads the kubeconfig; throws when there is none. */
  readonly readKubeconfig: (config: ClusterConfig, signal: AbortSignal) => Promise<string>;
  /** Makes a connection, not yet started; throws when the kubeconfig is bad. */
  readonly connect: (config: ClusterConfig, kubeconfig: string, leaving: boolean) => MemberConnection;
  readonly logger: Logger;
}

interface Entry {
  readonly fingerprint: string;
  readonly connection: MemberConnection;
}

/** How often a kubeconfig that is kept in a Secret is read again. */
const SECRET_POLL_MS = 10_000;

const NO_ANSWER_CODES = new Set<ErrorCode>(['API_ERROR', 'API_UNREACHABLE', 'API_TIMEOUT', 'CREDENTIAL_FAILED']);

/** Whether a Cluster takes part in ClusterTree, or did and is not cleaned up yet. */
export function concernsClusterTree(cluster: Cluster): boolean {
  if (cluster.metadata?.annotations?.[CLUSTER_ROLE_ANNOTATION] === CLUSTER_ROLE_ROOT) return false;
  const enabled = cluster.spec.clusterTreeOptions?.enable !== false && !cluster.metadata?.deletionTimestamp;
  return enabled || (cluster.metadata?.finalizers?.includes(CLUSTER_FINALIZER) ?? false);
}

/**
 * Keeps one connection per Cluster object, on every replica, and writes nothing. A Cluster that can't be connected gets a
 * problem instead, which the cluster controller reports.
 */
export class MemberRegistry implements Reconciler {
  readonly #options: RegistryOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #problems = new Map<string, ConnectionProblem>();
  readonly #listeners = new Set<(cluster: string) => void>();
  #leading: AbortSignal | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  connection(cluster: string): MemberConnection | undefined {
    return this.#entries.get(cluster)?.connection;
  }

  problem(cluster: string): ConnectionProblem | undefined {
    return this.#problems.get(cluster);
  }

  /** Hears of each connection or problem that came or went. */
  onChange(listener: (cluster: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets all present and future connections write until aborted; resolves when none does any more. */
  async lead(signal: AbortSignal): Promise<void> {
    this.#leading = signal;
    const leads = [...this.#entries.values()].map(({ connection }) => connection.lead(signal));
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#leading = undefined;
    await Promise.all(leads);
  }

  async reconcile(name: ObjectKey, context: { readonly signal: AbortSignal }): Promise<Result> {
    const cluster = this.#options.clusters.store.get(name);
    if (cluster === undefined || !concernsClusterTree(cluster)) {
      await this.#close(name);
      this.#setProblem(name, undefined);
      return {};
    }
    try {
      await this.#open(name, cluster, context.signal);
      this.#setProblem(name, undefined);
    } catch (error) {
      // Unknown is not absent: that the host can't say what the kubeconfig is doesn't end the connection.
      if (context.signal.aborted || (this.#entries.has(name) && isNoAnswer(error))) throw error;
      await this.#close(name);
      this.#setProblem(name, { reason: reasonOf(error), message: errorMessage(error) });
    }
    const pollable = cluster.spec.kubeconfigSecretRef !== undefined || this.#problems.has(name);
    return pollable ? { requeueAfterMs: SECRET_POLL_MS } : {};
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((name) => this.#close(name)));
  }

  async #open(name: string, cluster: Cluster, signal: AbortSignal): Promise<void> {
    const config = compileCluster(cluster);
    const kubeconfig = await this.#options.readKubeconfig(config, signal);
    this.#options.hostPods.setNodes(name, this.#virtualNodes(config));
    const leaving = !config.treeEnabled || cluster.metadata?.deletionTimestamp !== undefined;
    const fingerprint = JSON.stringify([config, kubeconfig, leaving]);
    if (this.#entries.get(name)?.fingerprint === fingerprint) return;
    await this.#close(name, { keepNodes: true });
    const connection = this.#options.connect(config, kubeconfig, leaving);
    connection.onChange(() => this.#changed(name));
    this.#entries.set(name, { fingerprint, connection });
    connection.start();
    if (this.#leading !== undefined && !this.#leading.aborted) void connection.lead(this.#leading);
    this.#options.logger.info('member connection opened', { cluster: name });
    this.#changed(name);
  }

  /** The nodes that the Cluster asks for, and those it once asked for and that still exist. */
  #virtualNodes(config: ClusterConfig): ReadonlySet<string> {
    const names = new Set(config.virtualNodes.map((node) => node.nodeName));
    for (const node of this.#options.hostNodes.store.list()) {
      if (node.metadata?.annotations?.[NODE_CLUSTER_ANNOTATION] === config.name) names.add(node.metadata.name ?? '');
    }
    return names;
  }

  async #close(name: string, options: { keepNodes?: boolean } = {}): Promise<void> {
    if (options.keepNodes !== true) this.#options.hostPods.setNodes(name, new Set());
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    await entry.connection.close();
    this.#options.logger.info('member connection closed', { cluster: name });
    this.#changed(name);
  }

  #setProblem(name: string, problem: ConnectionProblem | undefined): void {
    const previous = this.#problems.get(name);
    if (previous?.reason === problem?.reason && previous?.message === problem?.message) return;
    if (problem === undefined) this.#problems.delete(name);
    else this.#problems.set(name, problem);
    this.#changed(name);
  }

  #changed(name: string): void {
    for (const listener of [...this.#listeners]) listener(name);
  }
}

/** Whether the error says nothing of the Cluster: the host's API server did not answer, or not as it should. */
function isNoAnswer(error: unknown): boolean {
  return error instanceof FederationError && NO_ANSWER_CODES.has(error.code) && !isNotFound(error);
}

function reasonOf(error: unknown): InvalidReason {
  if (isNotFound(error)) return 'KubeconfigSecretMissing';
  return error instanceof FederationError && error.code === 'CLUSTER_INVALID' ? 'InvalidSpec' : 'InvalidKubeconfig';
}

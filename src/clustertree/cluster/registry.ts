import type { Node } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_FINALIZER, CLUSTER_ROLE_ANNOTATION, CLUSTER_ROLE_ROOT } from '../../apis/names.js';
import { ApiError, isNotFound, isTooManyRequests } from '../../kube/api-error.js';
import type { Informer } from '../../kube/informer.js';
import type { ObjectKey } from '../../kube/resource.js';
import { TransportError } from '../../kube/transport-error.js';
import { errorMessage, FederationError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { InvalidReason } from './conditions.js';
import type { MemberConnection } from './connection.js';
import type { HostPods } from './host-pods.js';
import { compileCluster, type ClusterConfig } from './options.js';
import { clusterOfNode } from './virtual-node.js';

/** Why a Cluster has no connection. */
export interface ConnectionProblem {
  readonly reason: InvalidReason;
  readonly message: string;
}

export interface RegistryOptions {
  readonly clusters: Informer<Cluster>;
  /** Virtual nodes in the host. */
  readonly hostNodes: Informer<Node>;
  readonly hostPods: Pick<HostPods, 'setNodes'>;
  /** Reads the kubeconfig; throws when there is none. */
  readonly readKubeconfig: (config: ClusterConfig, signal: AbortSignal) => Promise<string>;
  /** Makes a connection, not yet started; throws when the kubeconfig is bad. */
  readonly connect: (config: ClusterConfig, kubeconfig: string, leaving: boolean) => MemberConnection;
  readonly logger: Logger;
}

interface Entry {
  /** Of everything but the kubeconfig. */
  readonly fingerprint: string;
  readonly kubeconfig: string;
  readonly connection: MemberConnection;
}

/** How often a kubeconfig that is kept in a Secret is read again. */
const SECRET_POLL_MS = 10_000;

/** Whether the Cluster is the host's own entry. */
export function isRoot(cluster: Cluster): boolean {
  return cluster.metadata?.annotations?.[CLUSTER_ROLE_ANNOTATION] === CLUSTER_ROLE_ROOT;
}

/** Whether virtual nodes and pods of the member are wanted. */
export function isWanted(cluster: Cluster): boolean {
  const { metadata, spec } = cluster;
  return !isRoot(cluster) && metadata?.deletionTimestamp === undefined && spec.clusterTreeOptions?.enable !== false;
}

/** Whether the Cluster takes part in ClusterTree, or did and is not cleaned up yet. */
export function isRegistered(cluster: Cluster): boolean {
  return cluster.metadata?.finalizers?.includes(CLUSTER_FINALIZER) === true;
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
  readonly #leads = new Set<Promise<void>>();
  #leading: AbortSignal | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** While a connection is being replaced, the old one until it has ended. */
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
    for (const { connection } of this.#entries.values()) this.#lead(connection, signal);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#leading = undefined;
    await Promise.all(this.#leads);
  }

  async reconcile(name: ObjectKey, context: { readonly signal: AbortSignal }): Promise<Result> {
    const cluster = this.#options.clusters.store.get(name);
    if (cluster === undefined || !(isWanted(cluster) || isRegistered(cluster))) {
      await this.#close(name);
      this.#options.hostPods.setNodes(name, new Set());
      this.#setProblem(name, undefined);
      return {};
    }
    try {
      await this.#open(name, cluster, context.signal);
      this.#setProblem(name, undefined);
    } catch (error) {
      if (context.signal.aborted || isPassing(error)) throw error;
      await this.#close(name);
      this.#options.hostPods.setNodes(name, this.#virtualNodes(name));
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
    const leaving = !isWanted(cluster);
    const config = compileCluster(leaving ? withoutTree(cluster) : cluster);
    const kubeconfig = await this.#options.readKubeconfig(config, signal);
    this.#options.hostPods.setNodes(name, this.#virtualNodes(name, config));
    const fingerprint = JSON.stringify([config, leaving]);
    if (this.#keep(name, fingerprint, kubeconfig)) return;
    await this.#close(name);
    const connection = this.#options.connect(config, kubeconfig, leaving);
    connection.onChange(() => this.#changed(name));
    this.#entries.set(name, { fingerprint, kubeconfig, connection });
    connection.start();
    if (this.#leading !== undefined && !this.#leading.aborted) this.#lead(connection, this.#leading);
    this.#options.logger.info('member connection opened', { cluster: name });
    this.#changed(name);
  }

  /** Whether the present connection can stay. A new token alone is no reason to read everything in the member again. */
  #keep(name: string, fingerprint: string, kubeconfig: string): boolean {
    const entry = this.#entries.get(name);
    if (entry?.fingerprint !== fingerprint) return false;
    if (entry.kubeconfig === kubeconfig) return true;
    if (!entry.connection.adopt(kubeconfig)) return false;
    this.#entries.set(name, { ...entry, kubeconfig });
    this.#options.logger.info('member credential replaced', { cluster: name });
    return true;
  }

  #lead(connection: MemberConnection, signal: AbortSignal): void {
    const lead = connection.lead(signal).finally(() => this.#leads.delete(lead));
    this.#leads.add(lead);
  }

  /** The nodes that the Cluster asks for, and those it once asked for and that still exist. */
  #virtualNodes(name: string, config?: ClusterConfig): ReadonlySet<string> {
    const existing = this.#options.hostNodes.store.list().filter((node) => clusterOfNode(node) === name);
    const wanted = config?.virtualNodes.map(({ nodeName }) => nodeName) ?? [];
    return new Set([...wanted, ...existing.map((node) => node.metadata?.name ?? '')]);
  }

  async #close(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    await entry.connection.close();
    this.#entries.delete(name);
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

/** A mistake in what is no longer wanted must not keep us from cleaning up. */
function withoutTree(cluster: Cluster): Cluster {
  return { ...cluster, spec: { ...cluster.spec, clusterTreeOptions: { enable: false } } };
}

/** The host's API server did not answer, or not now: that says nothing about the Cluster. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof TransportError ||
    (error instanceof ApiError && (error.statusCode >= 500 || isTooManyRequests(error)))
  );
}

function reasonOf(error: unknown): InvalidReason {
  if (isNotFound(error)) return 'KubeconfigSecretMissing';
  return error instanceof FederationError && error.code === 'CLUSTER_INVALID' ? 'InvalidSpec' : 'InvalidKubeconfig';
}

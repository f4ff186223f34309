import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { ApiError, isNotFound, isTooManyRequests } from '../../kube/api-error.js';
import type { Informer } from '../../kube/informer.js';
import type { ObjectKey } from '../../kube/resource.js';
import { TransportError } from '../../kube/transport-error.js';
import { errorMessage, FederationError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { InvalidReason } from './conditions.js';

/** Why a Cluster has no connection. */
export interface ConnectionProblem {
  readonly reason: InvalidReason;
  readonly message: string;
}

/** What belongs to one Cluster while it is connected. */
export interface RegisteredConnection {
  /** Hears of everything that may change what is said of the Cluster. */
  onChange(listener: () => void): void;
  /** Starts its work; returns at once. */
  start(): void;
  /** Lets it write until aborted or closed. */
  lead(signal: AbortSignal): Promise<void>;
  /** Takes over the credential of another kubeconfig; false when only a new connection would do. */
  adopt(kubeconfig: string): boolean;
  /** Stops everything and waits for it. */
  close(): Promise<void>;
}

/** A connection that could be made. */
export interface PreparedConnection<C> {
  /** Of everything but the kubeconfig; equal for two that would be the same: the one that is there then stays. */
  readonly fingerprint: string;
  /** Undefined for the host itself. */
  readonly kubeconfig: string | undefined;
  /** Makes it, not yet started; throws when the kubeconfig is bad. */
  readonly connect: () => C;
}

/** Which Clusters have a connection, and how it is made. */
export interface ConnectionSource<C> {
  isWanted(cluster: Cluster): boolean;
  /** Throws when the Cluster, or its kubeconfig, can't be used. */
  prepare(cluster: Cluster, signal: AbortSignal): Promise<PreparedConnection<C>>;
  /** The Cluster has no connection, by intent or because of a mistake in it. */
  onAbsent?(name: string, wanted: boolean): void;
}

export interface ConnectionRegistryOptions<C> {
  readonly clusters: Informer<Cluster>;
  readonly source: ConnectionSource<C>;
  readonly logger: Logger;
}

interface Entry<C> extends Omit<PreparedConnection<C>, 'connect'> {
  readonly connection: C;
}

/** How often a kubeconfig that is kept in a Secret is read again. */
const SECRET_POLL_MS = 10_000;

/**
 * Keeps one connection per Cluster object, on every replica, and writes nothing. A Cluster that can't be connected gets a
 * problem instead, which a controller reports.
 */
export class ConnectionRegistry<C extends RegisteredConnection> implements Reconciler {
  readonly #options: ConnectionRegistryOptions<C>;
  readonly #entries = new Map<string, Entry<C>>();
  readonly #problems = new Map<string, ConnectionProblem>();
  readonly #listeners = new Set<(cluster: string) => void>();
  readonly #leads = new Set<Promise<void>>();
  #leading: AbortSignal | undefined;

  constructor(options: ConnectionRegistryOptions<C>) {
    this.#options = options;
  }

  /** While a connection is being replaced, the old one until it has ended. */
  connection(cluster: string): C | undefined {
    return this.#entries.get(cluster)?.connection;
  }

  /** All connections that there are, by the names of their Clusters. */
  get connections(): ReadonlyMap<string, C> {
    return new Map([...this.#entries].map(([name, { connection }]) => [name, connection]));
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
    const { clusters, source } = this.#options;
    const cluster = clusters.store.get(name);
    if (cluster === undefined || !source.isWanted(cluster)) {
      await this.#close(name);
      source.onAbsent?.(name, false);
      this.#setProblem(name, undefined);
      return {};
    }
    try {
      await this.#open(name, cluster, context.signal);
      this.#setProblem(name, undefined);
    } catch (error) {
      if (context.signal.aborted || isPassing(error)) throw error;
      await this.#close(name);
      source.onAbsent?.(name, true);
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
    const prepared = await this.#options.source.prepare(cluster, signal);
    if (this.#keep(name, prepared)) return;
    const { connect, ...entry } = prepared;
    await this.#close(name);
    const connection = connect();
    connection.onChange(() => this.#changed(name));
    this.#entries.set(name, { ...entry, connection });
    connection.start();
    if (this.#leading !== undefined && !this.#leading.aborted) this.#lead(connection, this.#leading);
    this.#options.logger.info('member connection opened', { cluster: name });
    this.#changed(name);
  }

  /** Whether the present connection can stay. A new token alone is no reason to read everything in the member again. */
  #keep(name: string, { fingerprint, kubeconfig }: PreparedConnection<C>): boolean {
    const entry = this.#entries.get(name);
    if (entry?.fingerprint !== fingerprint) return false;
    if (entry.kubeconfig === kubeconfig) return true;
    if (kubeconfig === undefined || !entry.connection.adopt(kubeconfig)) return false;
    this.#entries.set(name, { ...entry, kubeconfig });
    this.#options.logger.info('member credential replaced', { cluster: name });
    return true;
  }

  #lead(connection: C, signal: AbortSignal): void {
    const lead = connection.lead(signal).finally(() => this.#leads.delete(lead));
    this.#leads.add(lead);
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

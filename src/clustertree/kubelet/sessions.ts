import type { Pod } from '../../apis/core.js';
import { objectKey, type ObjectKey } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import type { HostPods } from '../cluster/host-pods.js';

/** What a session is for. */
export interface SessionInfo {
  readonly cluster: string;
  /** The host pod as it was when the session began. */
  readonly pod: Pod;
  /** For metrics: `exec`, `attach`, `portForward`, `logs`. */
  readonly kind: string;
}

/** Hears how many sessions are open. */
export type SessionObserver = (cluster: string, kind: string, change: 1 | -1) => void;

export interface SessionsOptions {
  readonly hostPods: Pick<HostPods, 'get' | 'addListener'>;
  /** Whether a Cluster has a member to talk to. */
  readonly isConnected: (cluster: string) => boolean;
  readonly observe: SessionObserver;
  readonly clock: Clock;
}

interface Session extends SessionInfo {
  readonly end: (reason: string) => void;
}

/** Of a pod that has just ended, the last output may still be on its way. */
const POD_GRACE_MS = 3_000;
/** A connection that is made anew, since the Cluster was changed, is there again by then. */
const CLUSTER_GRACE_MS = 5_000;

interface ClusterSessions {
  readonly byPod: Map<ObjectKey, Set<Session>>;
  readonly stopListening: () => void;
}

/** All open sessions, so that none outlives its pod, its Cluster or the server. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #clusters = new Map<string, ClusterSessions>();
  readonly #closing = new AbortController();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#all().length;
  }

  /**
   * Registers a session. `end` is called, at most once, when it has to stop, with the reason for the log. The returned
   * function must be called when it has ended by itself.
   */
  open(info: SessionInfo, end: (reason: string) => void): () => void {
    const { cluster, kind } = info;
    const key = objectKey(info.pod);
    const session: Session = { ...info, end };
    const sessions = this.#of(cluster);
    const ofPod = sessions.byPod.get(key) ?? new Set();
    sessions.byPod.set(key, ofPod.add(session));
    this.#options.observe(cluster, kind, 1);
    if (this.#closing.signal.aborted) end('the server stops');
    return () => {
      if (!ofPod.delete(session)) return;
      this.#options.observe(cluster, kind, -1);
      if (ofPod.size === 0 && sessions.byPod.get(key) === ofPod) sessions.byPod.delete(key);
      if (sessions.byPod.size > 0 || this.#clusters.get(cluster) !== sessions) return;
      this.#clusters.delete(cluster);
      sessions.stopListening();
    };
  }

  /** To be called when a connection to a member has come or gone. */
  clusterChanged(cluster: string): void {
    if (!this.#clusters.has(cluster) || this.#options.isConnected(cluster)) return;
    this.#later(CLUSTER_GRACE_MS, () => {
      if (this.#options.isConnected(cluster)) return;
      for (const session of this.#all(cluster)) session.end('the member is gone');
    });
  }

  /** Ends all sessions, and those that are still to come. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new Error('the server stops'));
    for (const session of this.#all()) session.end('the server stops');
  }

  #of(cluster: string): ClusterSessions {
    const present = this.#clusters.get(cluster);
    if (present !== undefined) return present;
    const byPod = new Map<ObjectKey, Set<Session>>();
    const { hostPods } = this.#options;
    const stopListening = hostPods.addListener(cluster, (key) => this.#podChanged(cluster, key));
    const sessions = { byPod, stopListening };
    this.#clusters.set(cluster, sessions);
    return sessions;
  }

  #podChanged(cluster: string, key: ObjectKey): void {
    if (this.#stale(cluster, key).length === 0) return;
    this.#later(POD_GRACE_MS, () => {
      for (const session of this.#stale(cluster, key)) session.end('the pod is gone');
    });
  }

  /** Sessions whose pod is no longer there. */
  #stale(cluster: string, key: ObjectKey): readonly Session[] {
    const uid = this.#options.hostPods.get(cluster, key)?.metadata?.uid;
    const sessions = [...(this.#clusters.get(cluster)?.byPod.get(key) ?? [])];
    return sessions.filter(({ pod }) => pod.metadata?.uid !== uid);
  }

  #later(delayMs: number, work: () => void): void {
    // It rejects when the server stops, which ends all sessions anyway.
    this.#options.clock.sleep(delayMs, this.#closing.signal).then(work, () => undefined);
  }

  #all(cluster?: string): readonly Session[] {
    const clusters = cluster === undefined ? [...this.#clusters.values()] : [this.#clusters.get(cluster)];
    return clusters.flatMap((sessions) => [...(sessions?.byPod.values() ?? [])].flatMap((ofPod) => [...ofPod]));
  }
}

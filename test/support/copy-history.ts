import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '../../src/apis/core.js';
import type { KubeClient } from '../../src/kube/client.js';
import { pods } from '../../src/kube/resource.js';
import { hostUidOf } from './federation.js';

/** Remembers every pod that ever was in the members, by the host pod that it stands for. */
export class CopyHistory {
  readonly #copies = new Map<string, Set<string>>();
  readonly #names = new Map<string, string>();
  readonly #gaps: string[] = [];
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>[];

  private constructor(clients: readonly KubeClient[], versions: readonly string[]) {
    this.#watching = clients.map((client, index) => this.#watch(client, versions[index] ?? ''));
  }

  /** Watches until closed. The members' API servers must not end meanwhile. */
  static async start(clients: readonly KubeClient[]): Promise<CopyHistory> {
    const lists = await Promise.all(clients.map((client) => client.list(pods)));
    const history = new CopyHistory(
      clients,
      lists.map(({ resourceVersion }) => resourceVersion),
    );
    for (const pod of lists.flatMap(({ items }) => items)) history.#note(pod);
    return history;
  }

  /** Host pods that had more than one copy: what must never be. */
  get repeated(): readonly string[] {
    if (this.#gaps.length > 0) throw new Error(`the history is not complete: ${this.#gaps.join()}`);
    return [...this.#copies].filter(([, copies]) => copies.size > 1).map(([uid]) => this.#names.get(uid) ?? uid);
  }

  /** Number of host pods that had a copy. */
  get size(): number {
    return this.#copies.size;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#watching);
  }

  async #watch(client: KubeClient, from: string): Promise<void> {
    const position = { resourceVersion: from };
    while (!this.#stop.signal.aborted) {
      await this.#follow(client, position).catch(() => sleep(100));
    }
  }

  async #follow(client: KubeClient, position: { resourceVersion: string }): Promise<void> {
    const { signal } = this.#stop;
    const stream = await client.watch(pods, { signal, ...position, timeoutSeconds: 3_600 });
    for await (const { type, object } of stream) {
      if (type === 'ERROR') {
        this.#gaps.push(JSON.stringify(object));
        this.#stop.abort();
        return;
      }
      position.resourceVersion = object.metadata?.resourceVersion ?? position.resourceVersion;
      this.#note(object);
    }
  }

  #note(pod: Pod): void {
    const hostUid = hostUidOf(pod);
    const uid = pod.metadata?.uid;
    if (hostUid === undefined || uid === undefined) return;
    this.#copies.set(hostUid, (this.#copies.get(hostUid) ?? new Set()).add(uid));
    this.#names.set(hostUid, `${pod.metadata?.namespace ?? ''}/${pod.metadata?.name ?? ''}`);
  }
}

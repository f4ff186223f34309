import type { KubeObject } from '../../src/apis/core.js';
import type { KubeClient } from '../../src/kube/client.js';
import { objectKey, type ResourceType } from '../../src/kube/resource.js';

/** Notes every object of some kinds that an API server loses. */
export class Deletions {
  readonly seen: string[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];

  /** Resolves when nothing can be missed any more. */
  async watch(label: string, client: KubeClient, types: readonly ResourceType<KubeObject>[]): Promise<void> {
    for (const type of types) {
      const { resourceVersion } = await client.list(type, { limit: 1 });
      const events = await client.watch(type, { resourceVersion, signal: this.#stop.signal });
      this.#running.push(this.#follow(`${label} ${type.kind}`, events));
    }
  }

  async #follow(
    what: string,
    events: AsyncIterable<{ readonly type: string; readonly object: KubeObject }>,
  ): Promise<void> {
    try {
      for await (const { type, object } of events) {
        if (type === 'DELETED' || object.metadata?.deletionTimestamp) this.seen.push(`${what} ${objectKey(object)}`);
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('enough was seen'));
    await Promise.all(this.#running);
  }
}

import PQueue from 'p-queue';
import { isForbidden } from '../../../kube/api-error.js';
import type { KubeClient } from '../../../kube/client.js';
import type { Clock } from '../../../lib/clock.js';
import { FederationError } from '../../../lib/errors.js';
import { StatsDenied } from './stats-answer.js';

export interface KubeletFetchOptions {
  readonly client: Pick<KubeClient, 'getPath'>;
  readonly clock: Clock;
}

/** So many requests of ours at once leave most of the member's connections to its pods. */
const CONCURRENCY = 8;
/** One kubelet that hangs must not cost the figures of all others. */
const NODE_TIMEOUT_MS = 4_000;
/** metrics-server gives up after 10 s; whoever has answered by then counts. */
const TOTAL_MS = 8_000;

/** Asks kubelets of a member, through its API server. */
export class KubeletFetch {
  readonly #options: KubeletFetchOptions;

  constructor(options: KubeletFetchOptions) {
    this.#options = options;
  }

  /**
   * Gets the same path from several kubelets. A node that doesn't answer in time, or with an error, is left out.
   *
   * @param digest makes of an answer what is needed of it, as soon as it is there: answers are large, and looking at
   * all of them at once would hold up everything else.
   * @throws StatsDenied when the API server refuses `nodes/proxy` and no node has answered.
   */
  async read<T>(
    nodes: Iterable<string>,
    path: string,
    digest: (text: string, node: string) => T,
  ): Promise<ReadonlyMap<string, T>> {
    const { client, clock } = this.#options;
    const deadline = new AbortController();
    const timer = clock.schedule(TOTAL_MS, () => deadline.abort(new Error('the figures of a node came too late')));
    const queue = new PQueue({ concurrency: CONCURRENCY });
    const digests = new Map<string, T>();
    let denied: unknown;
    const read = async (node: string): Promise<void> => {
      try {
        const url = `/api/v1/nodes/${encodeURIComponent(node)}/proxy${path}`;
        const text = await client.getPath(url, { timeoutMs: NODE_TIMEOUT_MS, signal: deadline.signal });
        digests.set(node, digest(text, node));
      } catch (error) {
        // No answer, whatever the reason: this node has no figures now, and who asks is told so.
        if (!(error instanceof FederationError) && !deadline.signal.aborted) throw error;
        if (isForbidden(error)) denied = error;
      }
    };
    try {
      await Promise.all([...nodes].map((node) => queue.add(() => read(node))));
    } finally {
      timer.cancel();
    }
    if (digests.size === 0 && denied !== undefined) throw new StatsDenied({ cause: denied });
    return digests;
  }
}

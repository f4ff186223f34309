import type { Pod } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import { pods, splitKey, type ObjectKey } from '../../kube/resource.js';
import { untilAborted } from '../../kube/shared-call.js';
import type { HostPods } from './host-pods.js';

export interface LiveUsersOptions {
  readonly clusterName: string;
  readonly host: Pick<KubeClient, 'list'>;
  readonly hostPods: Pick<HostPods, 'hasNode'>;
  /** The things that a pod uses, as `namespace/name` of its own namespace. Pure. */
  readonly keysOf: (hostPod: Pod) => readonly ObjectKey[];
}

/**
 * Asks the host's API server whether a pod on a Cluster's virtual nodes uses something; for a last look before that is
 * removed. What is asked about one namespace at the same time shares one call, which always begins after the question:
 * the answer of an earlier one may have been overtaken by what made the caller ask.
 */
export class LiveUsers {
  readonly #options: LiveUsersOptions;
  /** By namespace: the call that is under way, and the one that begins when that has ended. */
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #next = new Map<string, Promise<ReadonlySet<ObjectKey>>>();

  constructor(options: LiveUsersOptions) {
    this.#options = options;
  }

  async has(key: ObjectKey, signal: AbortSignal): Promise<boolean> {
    const { namespace = '' } = splitKey(key);
    const call = this.#next.get(namespace) ?? this.#plan(namespace);
    return (await untilAborted(call, signal)).has(key);
  }

  #plan(namespace: string): Promise<ReadonlySet<ObjectKey>> {
    const next = this.#afterRunning(namespace);
    this.#next.set(namespace, next);
    return next;
  }

  async #afterRunning(namespace: string): Promise<ReadonlySet<ObjectKey>> {
    // Its failure is that of those who waited for it.
    await Promise.allSettled([this.#running.get(namespace)]);
    this.#next.delete(namespace);
    const call = this.#read(namespace);
    this.#running.set(namespace, call);
    try {
      return await call;
    } finally {
      if (this.#running.get(namespace) === call) this.#running.delete(namespace);
    }
  }

  async #read(namespace: string): Promise<ReadonlySet<ObjectKey>> {
    const { clusterName, host, hostPods, keysOf } = this.#options;
    const { items } = await host.list(pods, { namespace, fieldSelector: 'spec.nodeName!=' });
    const ours = items.filter((pod) => hostPods.hasNode(clusterName, pod.spec?.nodeName ?? ''));
    return new Set(ours.flatMap(keysOf));
  }
}

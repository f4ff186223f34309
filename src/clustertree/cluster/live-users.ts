import type { Pod } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import { pods, splitKey, type ObjectKey } from '../../kube/resource.js';
import { SharedCall } from '../../kube/shared-call.js';
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
 * removed. What is asked about one namespace at the same time shares one call.
 */
export class LiveUsers {
  readonly #options: LiveUsersOptions;
  readonly #calls = new Map<string, SharedCall<ReadonlySet<ObjectKey>>>();

  constructor(options: LiveUsersOptions) {
    this.#options = options;
  }

  async has(key: ObjectKey, signal: AbortSignal): Promise<boolean> {
    const { namespace = '' } = splitKey(key);
    const call = this.#calls.get(namespace) ?? new SharedCall();
    this.#calls.set(namespace, call);
    try {
      return (await call.join(() => this.#read(namespace), signal)).has(key);
    } finally {
      this.#calls.delete(namespace);
    }
  }

  async #read(namespace: string): Promise<ReadonlySet<ObjectKey>> {
    const { clusterName, host, hostPods, keysOf } = this.#options;
    const { items } = await host.list(pods, { namespace, fieldSelector: 'spec.nodeName!=' });
    const ours = items.filter((pod) => hostPods.hasNode(clusterName, pod.spec?.nodeName ?? ''));
    return new Set(ours.flatMap(keysOf));
  }
}

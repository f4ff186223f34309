import type { Pod } from '../../apis/core.js';
import { keyOf, objectKey } from '../../kube/resource.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { Member } from '../cluster/member.js';
import { hostUidOf, isOwned } from '../cluster/ownership.js';
import type { VirtualNodeSpec } from '../cluster/virtual-node-spec.js';
import type { ServedNode } from './endpoint.js';

/** The caches behind all virtual nodes. */
export interface NodeCaches {
  readonly hostPods: Pick<HostPods, 'get' | 'listNode' | 'hasNode'>;
  /** The connection to a Cluster's member. */
  readonly member: (cluster: string) => Member | undefined;
}

/** A virtual node seen through the caches; asks them anew each time. */
export class CachedNode implements ServedNode {
  readonly name: string;
  readonly cluster: string;
  readonly #caches: NodeCaches;

  constructor(name: string, cluster: string, caches: NodeCaches) {
    this.name = name;
    this.cluster = cluster;
    this.#caches = caches;
  }

  get member(): Member | undefined {
    return this.#caches.member(this.cluster);
  }

  get spec(): VirtualNodeSpec | undefined {
    return this.member?.config.virtualNodes.find(({ nodeName }) => nodeName === this.name);
  }

  hostPods(): readonly Pod[] {
    const { hostPods } = this.#caches;
    return hostPods.hasNode(this.cluster, this.name) ? hostPods.listNode(this.name) : [];
  }

  hostPod(namespace: string, name: string): Pod | undefined {
    const pod = this.#caches.hostPods.get(this.cluster, keyOf({ namespace, name }));
    return pod?.spec?.nodeName === this.name ? pod : undefined;
  }

  memberPod(hostPod: Pod): Pod | undefined {
    const { member } = this;
    const pod = member?.pods.store.get(objectKey(hostPod));
    if (member === undefined || pod === undefined || !isOwned(pod, member.ownership)) return undefined;
    return hostUidOf(pod) === hostPod.metadata?.uid ? pod : undefined;
  }
}

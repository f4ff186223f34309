import type { Node } from '../../apis/core.js';
import { NODE_EXCLUDE_LABEL, NODE_LABEL } from '../../apis/names.js';

/** What ClusterLink needs to know of a node of a cluster. */
export interface LinkNode {
  readonly metadata: {
    readonly name: string;
    readonly uid: string | undefined;
    readonly resourceVersion: string | undefined;
  };
  readonly labels: Readonly<Record<string, string>>;
  readonly podCIDRs: readonly string[];
  /** `InternalIP` addresses, as the kubelet reports them. */
  readonly addresses: readonly string[];
  /** What the kubelet says; `Unknown` when it is silent, for some 40 seconds. */
  readonly ready: 'True' | 'False' | 'Unknown';
  /** Cordoned: it is about to be drained, or new pods are kept away for another reason. */
  readonly unschedulable: boolean;
}

/** Keeps of a node what is needed; a heartbeat alone then changes nothing but the version. */
export function trimLinkNode(node: Node): LinkNode {
  const { name = '', uid, resourceVersion, labels = {} } = node.metadata ?? {};
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  const addresses = (node.status?.addresses ?? []).filter(({ type }) => type === 'InternalIP');
  return {
    metadata: { name, uid, resourceVersion },
    labels,
    podCIDRs: node.spec?.podCIDRs ?? (node.spec?.podCIDR ? [node.spec.podCIDR] : []),
    addresses: addresses.map(({ address }) => address),
    ready: ready === 'True' || ready === 'False' ? ready : 'Unknown',
    unschedulable: node.spec?.unschedulable === true,
  };
}

/** Whether the node takes part: not one that we made ourselves for a member, and not one that somebody excluded. */
export function isLinked({ labels }: Pick<LinkNode, 'labels'>): boolean {
  return labels[NODE_LABEL] !== 'true' && labels[NODE_EXCLUDE_LABEL] !== 'true';
}

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
export function trimLinkNode({ metadata, spec, status }: Node): LinkNode {
  const { name = '', uid, resourceVersion, labels = {} } = metadata ?? {};
  const addresses = (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP');
  return {
    metadata: { name, uid, resourceVersion },
    labels,
    podCIDRs: spec?.podCIDRs ?? [],
    addresses: addresses.map(({ address }) => address),
    ready: readinessOf(status?.conditions ?? []),
    unschedulable: spec?.unschedulable === true,
  };
}

function readinessOf(conditions: readonly { readonly type: string; readonly status: string }[]): LinkNode['ready'] {
  const status = conditions.find(({ type }) => type === 'Ready')?.status;
  return status === 'True' || status === 'False' ? status : 'Unknown';
}

/** Whether the node takes part: not one that we made ourselves for a member, and not one that somebody excluded. */
export function isLinked({ labels }: Pick<LinkNode, 'labels'>): boolean {
  return labels[NODE_LABEL] !== 'true' && labels[NODE_EXCLUDE_LABEL] !== 'true';
}

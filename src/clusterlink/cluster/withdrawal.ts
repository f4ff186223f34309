import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { LinkNode } from './link-node.js';

/** What there is to do about the NodeConfig of a node that leaves. */
export type WithdrawalStep =
  /** Tell the agent to take everything away. */
  | { readonly kind: 'clear'; readonly spec: Readonly<Record<string, unknown>> }
  /** The agent is about to do so. */
  | { readonly kind: 'wait' }
  /** Nothing is left on the node, or nobody is there who could take it away. */
  | { readonly kind: 'delete' };

/** What is not needed to take everything away; what tells the agent's own objects from others stays. */
const PLANNED = ['routes', 'iptables', 'fdbs', 'arps', 'nat', 'gateways', 'peers'] as const;

/** The next step for a NodeConfig that is no longer wanted: its end is the proof that the node's network is as it was. */
export function withdrawalStep({ metadata, spec, status }: NodeConfig, node: LinkNode | undefined): WithdrawalStep {
  const hasAgent = node?.ready === 'True' && status?.observedGeneration !== undefined;
  if (!hasAgent) return { kind: 'delete' };
  const present = PLANNED.filter((field) => spec[field] !== undefined);
  if (spec.devices?.length !== 0 || present.length > 0) {
    return { kind: 'clear', spec: { devices: [], ...Object.fromEntries(present.map((field) => [field, null])) } };
  }
  const isDone = status.observedGeneration === metadata?.generation && (status.errors ?? []).length === 0;
  return { kind: isDone ? 'delete' : 'wait' };
}

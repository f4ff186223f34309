import type { NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm } from '../../apis/core.js';
import {
  EXCLUDE_LOAD_BALANCERS_LABEL,
  HOSTNAME_LABEL,
  NODE_CLUSTER_ANNOTATION,
  NODE_LABEL,
  ROLE_LABEL,
} from '../../apis/names.js';

/** The virtual node that a host pod is bound to. */
export interface VirtualNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * The taints that it has for its own sake: `NODE_TAINT` and those of the Cluster's leafModels. Taints that it shows
   * because a member node has them don't belong here: their tolerations are needed in the member too.
   */
  readonly taints: readonly { readonly key: string; readonly value?: string | undefined; readonly effect: string }[];
}

/** What decides which placement rules of the host mean something in the member. */
export interface PlacementContext {
  readonly virtualNode: VirtualNode;
  /** Label keys of the member's nodes; absent when not known, and then every key that is not ours is taken to be one. */
  readonly memberLabelKeys?: ReadonlySet<string> | undefined;
}

/** Our own labels, on virtual nodes and elsewhere, have these prefixes. */
const OWN_PREFIXES = [NODE_LABEL, NODE_CLUSTER_ANNOTATION].map((name) => name.slice(0, name.indexOf('/') + 1));
/** Labels that every node has, but that say one thing of a virtual node and another of a member node. */
const VIRTUAL_NODE_KEYS = new Set<string>([HOSTNAME_LABEL, ROLE_LABEL, EXCLUDE_LOAD_BALANCERS_LABEL]);

/** True for node labels that only tell virtual nodes apart. */
export function isHostKey(key: string): boolean {
  return VIRTUAL_NODE_KEYS.has(key) || OWN_PREFIXES.some((prefix) => key.startsWith(prefix));
}

/** True when a selector with this node label can be asked of the member's nodes. */
export function meansSomething(key: string, context: PlacementContext): boolean {
  return !isHostKey(key) && (context.memberLabelKeys?.has(key) ?? true);
}

/** The part of a nodeSelector that the member can answer; the virtual node has fulfilled the rest. */
export function memberNodeSelector(
  selector: Readonly<Record<string, string>>,
  context: PlacementContext,
): { readonly kept: Record<string, string>; readonly dropped: readonly string[] } {
  const keys = Object.keys(selector);
  const kept = Object.fromEntries(Object.entries(selector).filter(([key]) => meansSomething(key, context)));
  return { kept, dropped: keys.filter((key) => !(key in kept)) };
}

/**
 * The node affinity that remains to be fulfilled in the member. What concerns the virtual node is evaluated on it:
 * alternatives that chose another node go, conditions that it fulfils are left out, and when nothing is left of an
 * alternative the whole requirement is fulfilled.
 */
export function memberNodeAffinity(affinity: NodeAffinity, context: PlacementContext): NodeAffinity {
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required && remainingTerms(required.nodeSelectorTerms, context);
  const preferred = (affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((choice) => {
    const preference = remainingTerm(choice.preference, context);
    return preference === undefined || isEmptyTerm(preference) ? [] : [{ ...choice, preference }];
  });
  return {
    requiredDuringSchedulingIgnoredDuringExecution:
      terms && terms.length > 0 ? { nodeSelectorTerms: terms } : undefined,
    preferredDuringSchedulingIgnoredDuringExecution: preferred.length > 0 ? preferred : undefined,
  };
}

function remainingTerms(terms: readonly NodeSelectorTerm[], context: PlacementContext): readonly NodeSelectorTerm[] {
  const remaining = terms.filter((term) => !isEmptyTerm(term)).map((term) => remainingTerm(term, context));
  const possible = remaining.filter((term) => term !== undefined);
  return possible.some(isEmptyTerm) ? [] : possible;
}

/** Undefined when the virtual node contradicts the term. */
function remainingTerm(term: NodeSelectorTerm, context: PlacementContext): NodeSelectorTerm | undefined {
  const { labels, name } = context.virtualNode;
  const isAskedInMember = (requirement: NodeSelectorRequirement): boolean => meansSomething(requirement.key, context);
  const expressions = term.matchExpressions ?? [];
  const settled = expressions.filter((requirement) => !isAskedInMember(requirement));
  const fields = term.matchFields ?? [];
  const isFulfilled =
    settled.every((requirement) => matches(requirement, labels)) &&
    fields.every((requirement) => matches(requirement, { 'metadata.name': name }));
  return isFulfilled ? { matchExpressions: expressions.filter(isAskedInMember) } : undefined;
}

function isEmptyTerm(term: NodeSelectorTerm): boolean {
  return (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0;
}

function matches(requirement: NodeSelectorRequirement, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[requirement.key];
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

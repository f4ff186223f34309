import type {
  Affinity,
  LabelSelector,
  Pod,
  PodAffinityTerm,
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from '../../apis/core.js';
import { CLUSTER_SELECTOR_ANNOTATION, HOSTNAME_LABEL, NODE_LABEL } from '../../apis/names.js';
import { applyClusterSelector, parseClusterSelector, type Placement } from './cluster-selector.js';
import type { Findings } from './findings.js';
import { isDefaulted } from './lost-node.js';
import { type PlacementContext, meansSomething, memberNodeAffinity, memberNodeSelector } from './node-terms.js';

type PodLabels = Readonly<Record<string, string>>;

const SETTLED = 'settled when the host chose the virtual node';

/**
 * What remains of the host pod's placement rules in the member. Rules about virtual nodes were fulfilled when the
 * host's scheduler chose one; rules about anything that member nodes have are asked again there.
 */
export function translatePlacement(hostPod: Pod, context: PlacementContext, findings: Findings): Placement {
  const annotation = hostPod.metadata?.annotations?.[CLUSTER_SELECTOR_ANNOTATION];
  const spec = hostPod.spec ?? { containers: [] };
  if (annotation === undefined) return ownPlacement(hostPod, spec, context, findings);
  const selector = parseClusterSelector(annotation);
  if (typeof selector === 'string') {
    const message = `The annotation ${CLUSTER_SELECTOR_ANNOTATION} ${selector}. Correct it or remove it.`;
    findings.refuse(`metadata.annotations[${CLUSTER_SELECTOR_ANNOTATION}]`, 'InvalidClusterSelector', message);
    return {};
  }
  const own = translateAffinity(spec.affinity, hostPod.metadata?.labels ?? {}, context, findings);
  return applyClusterSelector(selector, spec.affinity === undefined ? undefined : (own ?? {}));
}

function ownPlacement(hostPod: Pod, spec: PodSpec, context: PlacementContext, findings: Findings): Placement {
  const labels = hostPod.metadata?.labels ?? {};
  const { kept, dropped } = memberNodeSelector(spec.nodeSelector ?? {}, context);
  for (const key of dropped) findings.drop(`spec.nodeSelector[${key}]`, SETTLED);
  const spread = translateSpread(spec.topologySpreadConstraints ?? [], labels, context, findings);
  const tolerations = translateTolerations(spec.tolerations ?? [], context, findings);
  return {
    nodeSelector: Object.keys(kept).length > 0 ? kept : undefined,
    affinity: translateAffinity(spec.affinity, labels, context, findings),
    tolerations: tolerations.length > 0 ? tolerations : undefined,
    topologySpreadConstraints: spread.length > 0 ? spread : undefined,
  };
}

/** Adds what a party's virtual node stands for to the required node affinity, in every alternative of it. */
export function withParty(placement: Placement, party: LabelSelector): Placement {
  const labels = Object.entries(party.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: 'In',
    values: [value],
  }));
  const expressions = [...labels, ...(party.matchExpressions ?? [])];
  if (expressions.length === 0) return placement;
  const node = placement.affinity?.nodeAffinity;
  const terms = node?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}];
  const nodeSelectorTerms = terms.map((term) => ({
    ...term,
    matchExpressions: [...(term.matchExpressions ?? []), ...expressions],
  }));
  const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
  return { ...placement, affinity: { ...placement.affinity, nodeAffinity: { ...node, ...required } } };
}

function translateTolerations(
  tolerations: readonly Toleration[],
  context: PlacementContext,
  findings: Findings,
): readonly Toleration[] {
  return tolerations.filter((toleration, index) => {
    const isOwn = toleration.key === NODE_LABEL || context.virtualNode.taints.some((taint) => names(toleration, taint));
    if (isOwn) findings.drop(`spec.tolerations[${index}]`, "tolerates the virtual node's own taint");
    return !isOwn && !isDefaulted(toleration);
  });
}

/** True when the toleration speaks of this very taint; one that tolerates everything doesn't. */
function names(
  toleration: Toleration,
  taint: { readonly key: string; readonly value?: string | undefined; readonly effect: string },
): boolean {
  if (toleration.key !== taint.key) return false;
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}

function translateAffinity(
  affinity: Affinity | undefined,
  labels: PodLabels,
  context: PlacementContext,
  findings: Findings,
): Affinity | undefined {
  if (!affinity) return undefined;
  const node = affinity.nodeAffinity && memberNodeAffinity(affinity.nodeAffinity, context);
  const translated: Affinity = {
    nodeAffinity: node && hasValue(node) ? node : undefined,
    podAffinity: podTerms(affinity.podAffinity, 'spec.affinity.podAffinity', { labels, context, findings }),
    podAntiAffinity: podTerms(affinity.podAntiAffinity, 'spec.affinity.podAntiAffinity', { labels, context, findings }),
  };
  return hasValue(translated) ? translated : undefined;
}

interface TermContext {
  readonly labels: PodLabels;
  readonly context: PlacementContext;
  readonly findings: Findings;
}

function podTerms(affinity: Affinity['podAffinity'], path: string, terms: TermContext): Affinity['podAffinity'] {
  if (!affinity) return undefined;
  const keep = (term: PodAffinityTerm): boolean => {
    const kept = isTopology(term.topologyKey, terms.context);
    if (!kept) terms.findings.drop(`${path}[${term.topologyKey}]`, SETTLED);
    return kept;
  };
  const required = (affinity.requiredDuringSchedulingIgnoredDuringExecution ?? [])
    .filter(keep)
    .map((term) => mergeLabelKeys(term, terms.labels));
  const preferred = (affinity.preferredDuringSchedulingIgnoredDuringExecution ?? [])
    .filter((choice) => keep(choice.podAffinityTerm))
    .map((choice) => ({ ...choice, podAffinityTerm: mergeLabelKeys(choice.podAffinityTerm, terms.labels) }));
  const translated = {
    requiredDuringSchedulingIgnoredDuringExecution: required.length > 0 ? required : undefined,
    preferredDuringSchedulingIgnoredDuringExecution: preferred.length > 0 ? preferred : undefined,
  };
  return hasValue(translated) ? translated : undefined;
}

/**
 * Spreading over virtual nodes is done; inside the member the same wish becomes a preference, because the host has
 * already promised the pod a place there and a strict rule over fewer machines could take it back. The number of
 * domains that the host asks for counts all clusters, so it can't be asked of one.
 */
function translateSpread(
  constraints: readonly TopologySpreadConstraint[],
  labels: PodLabels,
  context: PlacementContext,
  findings: Findings,
): readonly TopologySpreadConstraint[] {
  const kept = new Map<string, TopologySpreadConstraint>();
  for (const constraint of constraints) {
    const { minDomains: _allClusters, ...rest } = constraint;
    const isHostname = rest.topologyKey === HOSTNAME_LABEL;
    const whenUnsatisfiable = isHostname ? 'ScheduleAnyway' : rest.whenUnsatisfiable;
    const key = `${rest.topologyKey} ${whenUnsatisfiable}`;
    if (!isTopology(rest.topologyKey, context)) {
      findings.drop(`spec.topologySpreadConstraints[${rest.topologyKey}]`, SETTLED);
    } else if (!kept.has(key)) {
      kept.set(key, mergeLabelKeys({ ...rest, whenUnsatisfiable }, labels));
    }
  }
  return [...kept.values()];
}

/** A host name is a topology on both sides: of virtual nodes in the host, of machines in the member. */
function isTopology(key: string, context: PlacementContext): boolean {
  return key === HOSTNAME_LABEL || meansSomething(key, context);
}

/**
 * The host's API server turns `matchLabelKeys` into expressions of the selector when the pod is made, and a member's
 * refuses a key that stands in both. So the keys always travel as expressions.
 */
function mergeLabelKeys<
  T extends {
    readonly labelSelector?: LabelSelector | undefined;
    readonly matchLabelKeys?: readonly string[] | undefined;
    readonly mismatchLabelKeys?: readonly string[] | undefined;
  },
>(term: T, labels: PodLabels): Omit<T, 'matchLabelKeys' | 'mismatchLabelKeys'> {
  const { matchLabelKeys, mismatchLabelKeys, ...rest } = term;
  const present = term.labelSelector?.matchExpressions ?? [];
  const added = [...expressions(matchLabelKeys, 'In', labels), ...expressions(mismatchLabelKeys, 'NotIn', labels)];
  const missing = added.filter(
    (wanted) => !present.some((has) => has.key === wanted.key && has.operator === wanted.operator),
  );
  if (missing.length === 0) return rest;
  return { ...rest, labelSelector: { ...term.labelSelector, matchExpressions: [...present, ...missing] } };
}

function expressions(
  keys: readonly string[] | undefined,
  operator: string,
  labels: PodLabels,
): { key: string; operator: string; values: string[] }[] {
  return (keys ?? []).flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });
}

function hasValue(object: object): boolean {
  return Object.values(object).some((value) => value !== undefined);
}

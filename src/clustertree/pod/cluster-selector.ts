import type { Affinity, PodSpec } from '../../apis/core.js';

/** The fields by which the member's scheduler places a pod. */
export type Placement = Pick<PodSpec, 'nodeSelector' | 'affinity' | 'tolerations' | 'topologySpreadConstraints'>;

/** The placement that the annotation `kosmos.io/cluster-selector` asks for in the member. */
export type ClusterSelector = Placement;

const SHAPES = {
  nodeSelector: 'object',
  affinity: 'object',
  tolerations: 'array',
  topologySpreadConstraints: 'array',
} as const;

/**
 * The annotation's value, or what is wrong with it (the end of a sentence that begins with its name). Fields that the
 * annotation doesn't know are ignored.
 */
export function parseClusterSelector(text: string): ClusterSelector | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'is not JSON';
  }
  if (shapeOf(value) !== 'object') return 'is not a JSON object';
  const selector: Record<string, unknown> = {};
  for (const [key, shape] of Object.entries(SHAPES)) {
    const member = (value as Readonly<Record<string, unknown>>)[key] ?? undefined;
    if (member !== undefined && shapeOf(member) !== shape)
      return `has ${JSON.stringify(key)}, which is not an ${shape}`;
    selector[key] = member;
  }
  return selector;
}

function shapeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}

/**
 * As Kosmos does it: the annotation's nodeSelector, tolerations and spread constraints replace the pod's, also when it
 * has none; of a pod's own affinity only the required node part is replaced. `own` is what is left of the pod's
 * affinity in the member, undefined when the pod has no affinity at all.
 */
export function applyClusterSelector(selector: ClusterSelector, own: Affinity | undefined): Placement {
  return { ...selector, affinity: own === undefined ? selector.affinity : replaceRequired(selector.affinity, own) };
}

function replaceRequired(wanted: Affinity | undefined, own: Affinity): Affinity | undefined {
  const node = wanted?.nodeAffinity;
  const required = node?.requiredDuringSchedulingIgnoredDuringExecution;
  const nodeAffinity =
    node && own.nodeAffinity ? { ...own.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required } : node;
  const affinity: Affinity = { ...own, nodeAffinity };
  return Object.values(affinity).some((part) => part !== undefined) ? affinity : undefined;
}

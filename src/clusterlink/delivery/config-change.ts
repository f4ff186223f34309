import type { NodeConfig, NodeConfigSpec } from '../../apis/kosmos/v1alpha1/node-config.js';
import { ownershipLabels, type Ownership } from '../../clustertree/cluster/ownership.js';
import { sameJson } from '../../lib/same-json.js';

/** A JSON merge patch of a NodeConfig: whole fields of its spec, null for those that go. */
export interface ConfigPatch {
  readonly metadata: { readonly uid?: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The fields of a NodeConfig that differ from what is planned; undefined when none does. */
export function diffConfig(actual: NodeConfig, planned: NodeConfigSpec): ConfigPatch | undefined {
  const before: Readonly<Record<string, unknown>> = { ...actual.spec };
  const after: Readonly<Record<string, unknown>> = { ...planned };
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = fields.filter((field) => !sameJson(before[field], after[field]));
  if (changed.length === 0) return undefined;
  const { uid } = actual.metadata ?? {};
  return {
    metadata: { ...(uid !== undefined && { uid }) },
    spec: Object.fromEntries(changed.map((field) => [field, after[field] ?? null])),
  };
}

/** A NodeConfig that isn't there yet. */
export function newConfig(name: string, ownership: Ownership, spec: NodeConfigSpec): NodeConfig {
  return {
    apiVersion: 'kosmos.io/v1alpha1',
    kind: 'NodeConfig',
    metadata: { name, labels: ownershipLabels(ownership) },
    spec,
  };
}

import type { Node, Taint } from '../../apis/core.js';
import { NODE_MANAGED_ANNOTATION } from '../../apis/names.js';
import { readManagedKeys, renderManagedKeys, taintKey } from './managed-keys.js';

type StringMap = Readonly<Record<string, string>>;

/** Values to set and, as null, keys to remove: a JSON merge patch of a map. */
type MapPatch = Readonly<Record<string, string | null>>;

/** A JSON merge patch of a Node that names the object it was computed from, so that it never hits another one. */
export interface NodePatch {
  readonly metadata: {
    readonly uid?: string;
    /** Only when taints change: their list is replaced as a whole, so nobody else may have changed it meanwhile. */
    readonly resourceVersion?: string;
    readonly labels?: MapPatch;
    readonly annotations?: MapPatch;
  };
  readonly spec?: {
    readonly taints?: readonly Taint[];
    readonly providerID?: string;
    readonly unschedulable?: boolean | null;
  };
}

/**
 * The patch (type `merge`) that gives an existing virtual node what `desiredNode` wants and takes away what Kosmos
 * wrote earlier and no longer wants. What others wrote stays. Undefined when there is nothing to do.
 */
export function diffNode(actual: Node, desired: Node): NodePatch | undefined {
  const before = readManagedKeys(actual);
  const labels = diffMap(actual.metadata?.labels, desired.metadata?.labels, before.labels);
  const annotations = diffMap(actual.metadata?.annotations, desiredAnnotations(actual, desired), before.annotations);
  const taints = diffTaints(actual, desired, before.taints);
  const spec = {
    ...(taints && { taints }),
    ...diffProviderId(actual, desired),
    ...diffUnschedulable(actual, desired, before.unschedulable),
  };
  const specChanges = Object.keys(spec).length > 0;
  if (labels === undefined && annotations === undefined && !specChanges) return undefined;
  const { uid, resourceVersion } = actual.metadata ?? {};
  return {
    metadata: {
      ...(uid && { uid }),
      ...(taints && resourceVersion && { resourceVersion }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    ...(specChanges && { spec }),
  };
}

/** A cordon that somebody else set stays theirs, even while the member wants it as well. */
function desiredAnnotations(actual: Node, desired: Node): StringMap | undefined {
  const wanted = readManagedKeys(desired);
  const foreignCordon = actual.spec?.unschedulable === true && !readManagedKeys(actual).unschedulable;
  if (!wanted.unschedulable || !foreignCordon) return desired.metadata?.annotations;
  return {
    ...desired.metadata?.annotations,
    [NODE_MANAGED_ANNOTATION]: renderManagedKeys({ ...wanted, unschedulable: false }),
  };
}

function diffMap(actual: StringMap = {}, desired: StringMap = {}, ours: readonly string[] = []): MapPatch | undefined {
  const changed = Object.entries(desired).filter(([key, value]) => actual[key] !== value);
  const gone = ours.filter((key) => !Object.hasOwn(desired, key) && Object.hasOwn(actual, key));
  if (changed.length === 0 && gone.length === 0) return undefined;
  return { ...Object.fromEntries(changed), ...Object.fromEntries(gone.map((key) => [key, null])) };
}

function diffTaints(actual: Node, desired: Node, ours: readonly string[]): readonly Taint[] | undefined {
  const present = actual.spec?.taints ?? [];
  const wanted = desired.spec?.taints ?? [];
  const wantedKeys = new Set(wanted.map(taintKey));
  const foreign = present.filter((taint) => !wantedKeys.has(taintKey(taint)) && !ours.includes(taintKey(taint)));
  const result = [...wanted.map((taint) => present.find((other) => sameTaint(taint, other)) ?? taint), ...foreign];
  const unchanged = result.length === present.length && result.every((taint) => present.includes(taint));
  return unchanged ? undefined : result;
}

function sameTaint(left: Taint, right: Taint): boolean {
  return taintKey(left) === taintKey(right) && (left.value ?? '') === (right.value ?? '');
}

/** The API server lets a provider ID be set, but never changed. */
function diffProviderId(actual: Node, desired: Node): { readonly providerID?: string } {
  const providerID = desired.spec?.providerID;
  return actual.spec?.providerID || providerID === undefined ? {} : { providerID };
}

function diffUnschedulable(actual: Node, desired: Node, ours: boolean): { readonly unschedulable?: boolean | null } {
  const cordoned = actual.spec?.unschedulable === true;
  const wanted = desired.spec?.unschedulable === true;
  if (wanted && !cordoned) return { unschedulable: true };
  if (!wanted && cordoned && ours) return { unschedulable: null };
  return {};
}

import type { Node, Taint } from '../../apis/core.js';
import { NODE_MANAGED_ANNOTATION } from '../../apis/names.js';
import type { MapPatch, StringMap } from '../../lib/merge-patch.js';
import { definedOnly, diffMap } from '../../lib/merge-patch.js';
import { readManagedKeys, renderManagedKeys, taintKey } from '../cluster/managed-keys.js';

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
  const taints = diffTaints(actual, desired, before.taints);
  const metadata = definedOnly({
    labels: diffMap(actual.metadata?.labels, desired.metadata?.labels, before.labels),
    annotations: diffMap(actual.metadata?.annotations, desiredAnnotations(actual, desired), before.annotations),
  });
  const spec = definedOnly({
    taints,
    providerID: diffProviderId(actual, desired),
    unschedulable: diffUnschedulable(actual, desired, before.unschedulable),
  });
  if (metadata === undefined && spec === undefined) return undefined;
  const { uid, resourceVersion } = actual.metadata ?? {};
  const lock = definedOnly({ uid, resourceVersion: taints === undefined ? undefined : resourceVersion });
  return { metadata: { ...lock, ...metadata }, ...(spec && { spec }) };
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
function diffProviderId(actual: Node, desired: Node): string | undefined {
  return actual.spec?.providerID ? undefined : desired.spec?.providerID;
}

function diffUnschedulable(actual: Node, desired: Node, ours: boolean): boolean | null | undefined {
  const cordoned = actual.spec?.unschedulable === true;
  const wanted = desired.spec?.unschedulable === true;
  if (wanted && !cordoned) return true;
  return !wanted && cordoned && ours ? null : undefined;
}

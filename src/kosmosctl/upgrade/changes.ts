import type { KubeObject } from '../../apis/core.js';
import { ownValue } from '../../lib/own-value.js';

/** One field that an update would change; undefined is absent. */
export interface FieldChange {
  /** As `spec.replicas`; a member of a list of named things by its name. */
  readonly path: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

type Tree = Readonly<Record<string, unknown>>;

/** What API servers keep on their own. */
const OWN_METADATA = new Set(['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp']);
const LONGEST_VALUE = 60;

/** What differs between an object as it is and as an update would leave it; without its status. */
export function changesBetween(present: KubeObject, wanted: KubeObject): readonly FieldChange[] {
  return compare('', comparable(present), comparable(wanted));
}

function comparable(object: KubeObject): Tree {
  const { status: _status, metadata = {}, ...rest } = object as Tree & { readonly metadata?: object };
  const kept = Object.entries(metadata).filter(([key]) => !OWN_METADATA.has(key));
  return { ...rest, metadata: Object.fromEntries(kept) };
}

function compare(path: string, from: unknown, to: unknown): readonly FieldChange[] {
  const [left, right] = [asTree(from), asTree(to)];
  if (left === undefined || right === undefined) {
    return shownValue(from) === shownValue(to) && JSON.stringify(from) === JSON.stringify(to)
      ? []
      : [{ path, from: shownValue(from), to: shownValue(to) }];
  }
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return keys.flatMap((key) =>
    compare(path === '' ? key : `${path}.${key}`, ownValue(left, key), ownValue(right, key)),
  );
}

/** Lists of things with names are compared by these, others as a whole. */
function asTree(value: unknown): Tree | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) return value as Tree;
  const names = value.map((item) => (item as { readonly name?: unknown } | null)?.name);
  if (names.length === 0 || !names.every((name) => typeof name === 'string')) return undefined;
  return Object.fromEntries(names.map((name, at) => [name, value[at] as unknown]));
}

function shownValue(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
}

import type { KubeObject } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';

/** Label and annotation keys of an object in a member that this product wrote. */
export interface OwnedKeys {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}

type FieldSet = Readonly<Record<string, unknown>>;
type MetadataPart = 'f:labels' | 'f:annotations';

/** Shared by all trimmed pods: ten thousand of them are kept in memory. */
const LEAF = Object.freeze({});

/**
 * The keys that the API server's own record of field managers says are ours: what we set when we made the object and
 * in later updates, not what the member's controllers, CNI or admission added.
 */
export function ownedKeys(object: KubeObject): OwnedKeys {
  const metadata = ownEntries(object).map((entry) => fieldsOf(entry.fieldsV1, 'f:metadata'));
  const keys = (part: MetadataPart): string[] => [
    ...new Set(metadata.flatMap((fields) => keysOf(fieldsOf(fields, part)))),
  ];
  return { labels: keys('f:labels'), annotations: keys('f:annotations') };
}

/**
 * The pod without the record of field managers, except for what {@link ownedKeys} needs. To be used while decoding
 * member pods, in place of dropping `managedFields` whole.
 */
export function keepOwnedKeys<T extends KubeObject>(memberPod: T): T {
  const { labels, annotations } = ownedKeys(memberPod);
  const { managedFields: _managedFields, ...metadata } = memberPod.metadata ?? {};
  const leaves = (keys: readonly string[]): FieldSet => Object.fromEntries(keys.map((key) => [`f:${key}`, LEAF]));
  const fieldsV1 = { 'f:metadata': { 'f:labels': leaves(labels), 'f:annotations': leaves(annotations) } };
  const entry = { manager: FIELD_MANAGER, operation: 'Update', fieldsV1 };
  return { ...memberPod, metadata: { ...metadata, managedFields: [entry] } };
}

function ownEntries(object: KubeObject): readonly { readonly fieldsV1?: unknown }[] {
  const entries = object.metadata?.managedFields ?? [];
  return entries.filter((entry) => entry.manager === FIELD_MANAGER && !entry.subresource);
}

function fieldsOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as FieldSet)[key] : undefined;
}

/** `f:name` is the member `name`; `.` is the map itself. */
function keysOf(fields: unknown): string[] {
  if (typeof fields !== 'object' || fields === null) return [];
  return Object.keys(fields)
    .filter((key) => key.startsWith('f:'))
    .map((key) => key.slice(2));
}

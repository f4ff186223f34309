import { HOST_UID_ANNOTATION } from '../../apis/names.js';
import { sameJson } from '../../lib/same-json.js';
import { ownedKeys } from '../cluster/owned-keys.js';
import { ownershipLabels, type Ownership } from '../cluster/ownership.js';
import type { Content, CopiedKind } from './kinds.js';

type Texts = Readonly<Record<string, string>>;

/** `kubectl apply` keeps the whole object in it, a Secret's data too. */
const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
/** Labels and annotations that this product gives a meaning, on whichever side. */
const OWN_PREFIXES = ['kosmos.io/', 'kosmos-io/'];
const TOKEN_TYPE = 'kubernetes.io/service-account-token';
/** With these, the member's controllers would take a token of the host for one of theirs, and replace or remove it. */
const TOKEN_PREFIX = 'kubernetes.io/service-account.';
const DEFAULT_TYPE = 'Opaque';

/** How a copy has to change. */
export type CopyChange =
  /** Write this over it. */
  | { readonly kind: 'update'; readonly object: Content }
  /** It can't be changed as wanted (its type, or an immutable one): delete it and create the wanted one. */
  | { readonly kind: 'replace' };

/** The copy in the member of a ConfigMap or a Secret of the host. */
export function desiredCopy(kind: CopiedKind, host: Content, ownership: Ownership, memberName: string): Content {
  const { namespace, labels, annotations, uid } = host.metadata ?? {};
  return {
    apiVersion: kind.type.apiVersion,
    kind: kind.type.kind,
    metadata: {
      namespace,
      name: memberName,
      labels: { ...withoutOwn(labels), ...ownershipLabels(ownership) },
      annotations: { ...withoutOwn(annotations), [HOST_UID_ANNOTATION]: uid ?? '' },
    },
    ...(kind.word === 'secret' && { type: memberType(host.type) }),
    data: host.data,
    binaryData: host.binaryData,
    immutable: host.immutable,
  };
}

/**
 * What has to change about a copy; undefined when nothing has. Data must be exactly the host's. Labels and annotations
 * that others added in the member stay.
 */
export function diffCopy(wanted: Content, actual: Content): CopyChange | undefined {
  const isSame = isSameContent(wanted, actual);
  if (wanted.type !== actual.type || (actual.immutable === true && !isSame)) return { kind: 'replace' };
  const metadata = mergedMetadata(wanted, actual);
  // The version makes the update fail when somebody else was faster.
  const { managedFields: _managedFields, ...rest } = actual.metadata ?? {};
  if (isSame && sameTexts(metadata.labels, rest.labels) && sameTexts(metadata.annotations, rest.annotations)) {
    return undefined;
  }
  return { kind: 'update', object: { ...wanted, metadata: { ...rest, ...metadata } } };
}

function isSameContent(wanted: Content, actual: Content): boolean {
  return (
    sameTexts(wanted.data, actual.data) &&
    sameTexts(wanted.binaryData, actual.binaryData) &&
    (wanted.immutable ?? false) === (actual.immutable ?? false)
  );
}

function mergedMetadata(wanted: Content, actual: Content): { readonly labels: Texts; readonly annotations: Texts } {
  const owned = ownedKeys(actual);
  const { labels, annotations } = actual.metadata ?? {};
  return {
    labels: merged(wanted.metadata?.labels, labels, owned.labels),
    annotations: merged(wanted.metadata?.annotations, annotations, owned.annotations),
  };
}

function merged(wanted: Texts | undefined, actual: Texts | undefined, owned: readonly string[]): Texts {
  const others = Object.entries(actual ?? {}).filter(([key]) => !owned.includes(key));
  return { ...Object.fromEntries(others), ...wanted };
}

function withoutOwn(texts: Texts | undefined): Texts {
  const isKept = (key: string): boolean =>
    key !== LAST_APPLIED_ANNOTATION &&
    !key.startsWith(TOKEN_PREFIX) &&
    !OWN_PREFIXES.some((prefix) => key.startsWith(prefix));
  return Object.fromEntries(Object.entries(texts ?? {}).filter(([key]) => isKept(key)));
}

/** The member would fill a Secret of this type with a token of its own. */
function memberType(type: string | undefined): string {
  return type === TOKEN_TYPE ? DEFAULT_TYPE : (type ?? DEFAULT_TYPE);
}

function sameTexts(left: Texts | undefined, right: Texts | undefined): boolean {
  return sameJson(left ?? {}, right ?? {});
}

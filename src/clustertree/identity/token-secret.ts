import type { KubeObject, ObjectMeta, Secret } from '../../apis/core.js';
import { FIELD_MANAGER, HOST_UID_ANNOTATION, TOKEN_LABEL, TOKEN_LIFETIMES_ANNOTATION } from '../../apis/names.js';
import { tokenSecretName } from '../cluster/member-names.js';
import { ownershipLabels, type Ownership } from '../cluster/ownership.js';
import { type Lifetimes, parseLifetimes, renderLifetimes } from './lifetimes.js';

/** A token that was just issued. */
export interface IssuedToken {
  readonly key: string;
  readonly token: string;
  /** Seconds since the epoch, by the host's clock. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** What is kept of a Secret with tokens: all but the tokens. */
export interface TokenSecret extends KubeObject {
  readonly lifetimes: Lifetimes;
  /** Keys of its data that are as we wrote them; undefined when the member doesn't say. */
  readonly ownKeys: readonly string[] | undefined;
  /** Somebody else has written some of its data. */
  readonly isTouched: boolean;
}

interface PodIdentity {
  readonly namespace: string;
  readonly podUid: string;
}

/** The Secret that holds all tokens of one pod. */
export function tokenSecret(
  { namespace, podUid }: PodIdentity,
  ownership: Ownership,
  issued: readonly IssuedToken[],
  keys: string | undefined,
): Secret {
  const lifetimes = withIssued({ tokens: {} }, issued, keys);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: tokenSecretName(podUid),
      labels: { ...ownershipLabels(ownership), [TOKEN_LABEL]: 'true' },
      annotations: { [HOST_UID_ANNOTATION]: podUid, [TOKEN_LIFETIMES_ANNOTATION]: renderLifetimes(lifetimes) },
    },
    type: 'Opaque',
    data: dataOf(issued),
  };
}

/** A merge patch that puts renewed tokens in place of the old ones. */
export function renewalPatch(present: TokenSecret, issued: readonly IssuedToken[], keys: string | undefined): object {
  const lifetimes = withIssued(present.lifetimes, issued, keys);
  return {
    metadata: {
      uid: present.metadata?.uid,
      annotations: { [TOKEN_LIFETIMES_ANNOTATION]: renderLifetimes(lifetimes) },
    },
    data: dataOf(issued),
  };
}

/**
 * Whether a Secret holds other data than we wrote, by the API server's record of field managers: what others have
 * written is theirs in it, and what was removed is nobody's.
 */
export function isTampered({ ownKeys, isTouched }: TokenSecret, wanted: readonly string[]): boolean {
  if (isTouched) return true;
  return ownKeys !== undefined && (ownKeys.length !== wanted.length || !wanted.every((key) => ownKeys.includes(key)));
}

/** What is kept of such a Secret in the cache; its data is not asked for. */
export function trimTokenSecret({ metadata = {} }: KubeObject): TokenSecret {
  const { namespace, name, uid, resourceVersion, deletionTimestamp, labels, annotations } = metadata;
  const hostUid = annotations?.[HOST_UID_ANNOTATION];
  const kept = hostUid === undefined ? undefined : { [HOST_UID_ANNOTATION]: hostUid };
  return {
    metadata: { namespace, name, uid, resourceVersion, deletionTimestamp, labels, annotations: kept },
    lifetimes: parseLifetimes(annotations?.[TOKEN_LIFETIMES_ANNOTATION]),
    ...ownersOf(metadata),
  };
}

function ownersOf({ managedFields = [] }: ObjectMeta): Pick<TokenSecret, 'ownKeys' | 'isTouched'> {
  const owners = managedFields.map(({ manager, fieldsV1 }) => ({
    isOurs: manager === FIELD_MANAGER,
    keys: dataKeys(fieldsV1),
  }));
  const ownKeys = owners.filter(({ isOurs }) => isOurs).flatMap(({ keys }) => keys);
  return {
    ownKeys: managedFields.length === 0 ? undefined : [...new Set(ownKeys)],
    isTouched: owners.some(({ isOurs, keys }) => !isOurs && keys.length > 0),
  };
}

/** `f:key` is the key; `.` is the map itself. */
function dataKeys(fieldsV1: unknown): string[] {
  const data = (fieldsV1 as { readonly 'f:data'?: object } | undefined)?.['f:data'] ?? {};
  return Object.keys(data)
    .filter((key) => key.startsWith('f:'))
    .map((key) => key.slice(2));
}

/** Tokens that stay were verified by other keys than these when there are any; the older digest keeps them due. */
function withIssued(present: Lifetimes, issued: readonly IssuedToken[], keys: string | undefined): Lifetimes {
  const renewed = issued.map(({ key, issuedAt, expiresAt }) => [key, [issuedAt, expiresAt]] as const);
  const tokens = { ...present.tokens, ...Object.fromEntries(renewed) };
  const isAll = Object.keys(tokens).every((key) => issued.some((token) => token.key === key));
  return { keys: isAll ? keys : present.keys, tokens };
}

function dataOf(issued: readonly IssuedToken[]): Record<string, string> {
  return Object.fromEntries(issued.map(({ key, token }) => [key, Buffer.from(token).toString('base64')]));
}

import { createHash } from 'node:crypto';

/** When one token was issued and when it expires: seconds since the epoch, by the host's clock. */
export type Lifetime = readonly [issuedAt: number, expiresAt: number];

/** What is known of the tokens in a Secret, and kept in an annotation of it. */
export interface Lifetimes {
  /** Digest of the keys that verified them when they were issued; see `SigningKeys`. */
  readonly keys?: string | undefined;
  /** By key of the Secret. */
  readonly tokens: Readonly<Record<string, Lifetime>>;
}

/** What a renewal is judged by. */
export interface RenewalContext {
  /** Seconds since the epoch, by the host's clock. */
  readonly now: number;
  /** The part of its life after which a token is renewed, between 0 and 1. */
  readonly fraction: number;
  /** Undefined when not known. */
  readonly keys: string | undefined;
  /** UID of the host pod; spreads the renewals of pods that were made together. */
  readonly podUid: string;
}

/** Tokens to renew now, and when to look again. */
export interface RenewalPlan {
  readonly renew: readonly string[];
  /** Seconds until the next token is due; undefined when one is due now. */
  readonly nextSeconds: number | undefined;
}

/** Pods that were made together renew within this part of the time. */
const SPREAD = 0.1;

export function renderLifetimes(lifetimes: Lifetimes): string {
  return JSON.stringify(lifetimes);
}

/** Nothing for text that is not what {@link renderLifetimes} makes: all tokens are renewed then. */
export function parseLifetimes(text: string | undefined): Lifetimes {
  const nothing: Lifetimes = { tokens: {} };
  if (text === undefined) return nothing;
  try {
    const { keys, tokens } = JSON.parse(text) as { readonly keys?: unknown; readonly tokens?: unknown };
    if (typeof tokens !== 'object' || tokens === null) return nothing;
    const valid = Object.entries(tokens).filter((entry): entry is [string, Lifetime] => isLifetime(entry[1]));
    return { keys: typeof keys === 'string' ? keys : undefined, tokens: Object.fromEntries(valid) };
  } catch {
    // Somebody edited it. What can't be read is not known, and what is not known is issued anew.
    return nothing;
  }
}

function isLifetime(value: unknown): value is Lifetime {
  return Array.isArray(value) && value.length === 2 && value.every((item) => Number.isSafeInteger(item));
}

/** Which of the wanted tokens have to be issued (again), and when the others will have to be. */
export function planRenewal(wanted: readonly string[], lifetimes: Lifetimes, context: RenewalContext): RenewalPlan {
  const { now, fraction, keys, podUid } = context;
  const isOutdated = keys !== undefined && lifetimes.keys !== undefined && lifetimes.keys !== keys;
  const part = fraction * (1 - SPREAD * spreadOf(podUid));
  const waits = wanted.map((key) => {
    const lifetime = lifetimes.tokens[key];
    if (lifetime === undefined || isOutdated) return { key, seconds: 0 };
    const [issuedAt, expiresAt] = lifetime;
    // A token from the future: the host's clock was set back, and nothing is known of the token's age.
    const seconds = issuedAt > now + CLOCK_STEP_SECONDS ? 0 : issuedAt + part * (expiresAt - issuedAt) - now;
    return { key, seconds };
  });
  const renew = waits.filter(({ seconds }) => seconds <= 0).map(({ key }) => key);
  const next = Math.min(...waits.map(({ seconds }) => seconds));
  return { renew, nextSeconds: renew.length > 0 || next === Infinity ? undefined : next };
}

/** More than what a time that is known to the second is wrong by. */
const CLOCK_STEP_SECONDS = 60;

/** The first moment at which one of the tokens expires; undefined when there is none. */
export function firstExpiry(lifetimes: Lifetimes): number | undefined {
  const ends = Object.values(lifetimes.tokens).map(([, expiresAt]) => expiresAt);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** In [0, 1), always the same for a pod. */
function spreadOf(podUid: string): number {
  return createHash('sha256').update(podUid).digest().readUInt32BE(0) / 2 ** 32;
}

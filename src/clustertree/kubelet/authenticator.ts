import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { LRUCache } from 'lru-cache';
import PQueue from 'p-queue';
import type { KubeClient } from '../../kube/client.js';
import type { Clock } from '../../lib/clock.js';
import { EndpointError } from './endpoint.js';
import { certificateUser } from './peer-certificate.js';
import { tokenReviews } from './reviews.js';
import { AUTHENTICATED_GROUP, type User } from './user.js';

export interface AuthenticatorOptions {
  /** Asked for TokenReviews. */
  readonly host: Pick<KubeClient, 'create'>;
  readonly clock: Clock;
}

/** kubelet's `authentication.webhook.cacheTTL`. */
const TOKEN_TTL_MS = 2 * 60_000;
const MAX_TOKENS = 4_096;
const REVIEW_TIMEOUT_MS = 10_000;
/** Whoever sends made-up tokens must not keep the host's API server busy, nor others waiting for long. */
const MAX_REVIEWS_AT_ONCE = 8;
const MAX_REVIEWS_WAITING = 128;

/** A cached answer; an object, since the cache can't hold `undefined`. */
interface Answer {
  readonly user: User | undefined;
}

/**
 * Finds out who sends a request: by the client certificate, else by the bearer token. There is no anonymous user, and no
 * header can name one.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #queue = new PQueue({ concurrency: MAX_REVIEWS_AT_ONCE });
  readonly #answers: LRUCache<string, Answer, string>;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    const { clock } = options;
    this.#answers = new LRUCache<string, Answer, string>({
      max: MAX_TOKENS,
      ttl: TOKEN_TTL_MS,
      ttlResolution: 0,
      perf: { now: () => clock.monotonic() },
      fetchMethod: (_digest, _stale, { context: token }) => this.#queue.add(() => this.#review(token)),
    });
  }

  /**
   * Undefined when the request proves nothing.
   * @throws EndpointError 429 when too many tokens wait to be reviewed; ApiError or TransportError when they can't be.
   */
  async authenticate(request: Pick<IncomingMessage, 'headers' | 'socket'>): Promise<User | undefined> {
    const { socket } = request;
    const user = socket instanceof TLSSocket ? certificateUser(socket, this.#options.clock.now()) : undefined;
    if (user !== undefined) return user;
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) return undefined;
    // The token itself is kept nowhere.
    const digest = createHash('sha256').update(token).digest('base64');
    const isKnown = this.#answers.has(digest);
    if (!isKnown && this.#queue.size >= MAX_REVIEWS_WAITING) throw new EndpointError(429, 'Too many requests');
    return (await this.#answers.fetch(digest, { context: token }))?.user;
  }

  async #review(token: string): Promise<Answer> {
    const { host } = this.#options;
    const review = { apiVersion: tokenReviews.apiVersion, kind: tokenReviews.kind, spec: { token } };
    const { status } = await host.create(tokenReviews, review, { timeoutMs: REVIEW_TIMEOUT_MS });
    const { username = '', uid, groups = [], extra } = status?.user ?? {};
    if (status?.authenticated !== true || username === '') return { user: undefined };
    return { user: { username, uid, groups: [...new Set([...groups, AUTHENTICATED_GROUP])], extra } };
  }
}

function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +([^\s,]+) *$/i.exec(header ?? '')?.[1];
}

import { LRUCache } from 'lru-cache';
import type { KubeClient } from '../../kube/client.js';
import type { Clock } from '../../lib/clock.js';
import type { AccessAttributes } from './attributes.js';
import { subjectAccessReviews, type SubjectAccessReview } from './reviews.js';
import type { User } from './user.js';

export interface AuthorizerOptions {
  /** Asked for SubjectAccessReviews. */
  readonly host: Pick<KubeClient, 'create'>;
  readonly clock: Clock;
}

/** kubelet's `authorization.webhook.cacheAuthorizedTTL`. */
const ALLOWED_TTL_MS = 5 * 60_000;
/** kubelet's `authorization.webhook.cacheUnauthorizedTTL`. */
const DENIED_TTL_MS = 30_000;
const MAX_ANSWERS = 8_192;
const REVIEW_TIMEOUT_MS = 10_000;

type Spec = SubjectAccessReview['spec'];

/** Asks the host's authorizer whether a user may do something with a virtual node. */
export class Authorizer {
  readonly #host: Pick<KubeClient, 'create'>;
  readonly #answers: LRUCache<string, { readonly allowed: boolean }, Spec>;

  constructor({ host, clock }: AuthorizerOptions) {
    this.#host = host;
    this.#answers = new LRUCache<string, { readonly allowed: boolean }, Spec>({
      max: MAX_ANSWERS,
      ttl: DENIED_TTL_MS,
      ttlResolution: 0,
      perf: { now: () => clock.monotonic() },
      fetchMethod: async (_key, _stale, { context, options }) => {
        const allowed = await this.#review(context);
        options.ttl = allowed ? ALLOWED_TTL_MS : DENIED_TTL_MS;
        return { allowed };
      },
    });
  }

  /** Whether one of the subresources is allowed. @throws ApiError or TransportError when the host can't say. */
  async isAllowed(user: User, node: string, { verb, subresources }: AccessAttributes): Promise<boolean> {
    for (const subresource of subresources) {
      const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: node } as const;
      const { username, uid, groups, extra } = user;
      const spec: Spec = { user: username, uid, groups, extra, resourceAttributes };
      const answer = await this.#answers.fetch(JSON.stringify(spec), { context: spec });
      if (answer?.allowed === true) return true;
    }
    return false;
  }

  async #review(spec: Spec): Promise<boolean> {
    const { apiVersion, kind } = subjectAccessReviews;
    const options = { timeoutMs: REVIEW_TIMEOUT_MS };
    const { status } = await this.#host.create(subjectAccessReviews, { apiVersion, kind, spec }, options);
    return status?.allowed === true;
  }
}

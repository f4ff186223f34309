import type { User } from '@kubernetes/client-node';
import type { Clock } from '../lib/clock.js';
import { FederationError } from '../lib/errors.js';
import { type AuthMaterial, bearer, type Credential } from './credential.js';
import type { Secret } from './secret.js';
import { SharedCall } from './shared-call.js';

/** Renewed this long before the token says that it ends. */
const LEEWAY_MS = 10_000;

/**
 * `auth-provider: oidc` of a kubeconfig: an ID token that is renewed at its issuer. Renewed tokens live in memory only.
 * The work is done by `@kubernetes/client-node`, which is loaded when it is first needed: it costs 0.4 s and 70 MB.
 */
export class OidcCredential implements Credential {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #calls = new SharedCall<AuthMaterial>();
  readonly #user: User;
  #material: AuthMaterial | undefined;
  #renewAt = -Infinity;

  /** @param config as in the kubeconfig: `id-token`, `refresh-token`, `client-id`, `idp-issuer-url`, … */
  constructor(config: ReadonlyMap<string, Secret>, clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    const values = Object.fromEntries([...config].map(([key, value]) => [key, value.reveal()]));
    this.#user = { name: 'oidc', authProvider: { name: 'oidc', config: values } };
  }

  current(signal: AbortSignal): Promise<AuthMaterial> {
    if (this.#material && this.#clock.now() < this.#renewAt) return Promise.resolve(this.#material);
    return this.#calls.join(() => this.#renew(), signal);
  }

  refused(material: AuthMaterial): void {
    if (material === this.#material) this.#renewAt = -Infinity;
  }

  async #renew(): Promise<AuthMaterial> {
    const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js');
    const options: { headers: Record<string, string> } = { headers: {} };
    try {
      // A new one each time: it takes the lifetime in the issuer's answer for a date, and would renew for ever.
      await new OpenIDConnectAuth().applyAuthentication(this.#user, options);
    } catch {
      // The library's errors may quote the answer of the issuer, tokens included.
      throw new FederationError('CREDENTIAL_FAILED', 'the ID token could not be renewed');
    }
    const header = options.headers['Authorization'];
    if (header === undefined) {
      throw new FederationError('CREDENTIAL_FAILED', 'the ID token has expired and cannot be renewed');
    }
    const token = header.replace(/^Bearer /, '');
    this.#renewAt = OpenIDConnectAuth.expirationFromToken(token) * 1000 - LEEWAY_MS;
    if (this.#material?.authorization?.reveal() === header) return this.#material;
    this.#material = { authorization: bearer(token) };
    return this.#material;
  }
}

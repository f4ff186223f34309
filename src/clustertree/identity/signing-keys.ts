import { createHash } from 'node:crypto';
import { isForbidden, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';

export interface SigningKeysOptions {
  readonly host: Pick<KubeClient, 'getPath'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const CONFIGURATION_PATH = '/.well-known/openid-configuration';
const KEYS_PATH = '/openid/v1/jwks';
const INTERVAL_MS = 30_000;
/** Once there seems to be a change: until it counts, the host may refuse the tokens that pods have. */
const CONFIRM_MS = 10_000;

/**
 * Watches the issuer and the keys by which the host's tokens are verified, as its discovery documents give them (KEP-1393).
 * Several API servers whose settings are being changed one after the other give different answers for a while, so a change
 * counts once it was read twice in a row.
 */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  readonly #listeners = new Set<() => void>();
  #digest: string | undefined;
  #candidate: string | undefined;

  constructor(options: SigningKeysOptions) {
    this.#options = options;
  }

  /** Another value after each change; undefined while it is not known, or when the host doesn't tell us. */
  get digest(): string | undefined {
    return this.#digest;
  }

  /** The returned function removes the listener. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks every half minute, and sooner at what seems to have changed, until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await this.#look(signal);
      await clock.sleep(this.#isSettled ? INTERVAL_MS : CONFIRM_MS, signal).catch(() => undefined);
    }
  }

  get #isSettled(): boolean {
    return this.#candidate === this.#digest;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { host, logger } = this.#options;
    try {
      const [configuration, keys] = await Promise.all([
        host.getPath(CONFIGURATION_PATH, { signal }),
        host.getPath(KEYS_PATH, { signal }),
      ]);
      this.#found(digestOf(configuration, keys));
    } catch (error) {
      if (signal.aborted) return;
      // An API server may be set up, or its rights given, so that discovery is closed to us.
      const level = isNotFound(error) || isForbidden(error) ? 'debug' : 'warn';
      logger[level]("the host's signing keys can not be read", { error: errorMessage(error) });
    }
  }

  #found(digest: string): void {
    const isStable = this.#digest === undefined || this.#candidate === digest;
    this.#candidate = digest;
    if (!isStable || this.#digest === digest) return;
    this.#digest = digest;
    for (const listener of this.#listeners) listener();
  }
}

/** Of the issuer and the set of keys, whatever their order. Throws when the documents are none. */
function digestOf(configuration: string, keys: string): string {
  const { issuer } = JSON.parse(configuration) as { readonly issuer?: unknown };
  const { keys: list = [] } = JSON.parse(keys) as { readonly keys?: readonly unknown[] };
  const sorted = list.map((key) => JSON.stringify(key)).sort();
  return createHash('sha256')
    .update(JSON.stringify([issuer, sorted]))
    .digest('hex')
    .slice(0, 16);
}

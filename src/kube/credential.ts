import { readFile } from 'node:fs/promises';
import type { Clock } from '../lib/clock.js';
import { FederationError } from '../lib/errors.js';
import { Secret } from './secret.js';

/** A client certificate in PEM form with its private key. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly key: Secret;
}

/** What identifies us on one request. The same object as long as nothing changed. */
export interface AuthMaterial {
  /** The whole value of the `Authorization` header. */
  readonly authorization?: Secret | undefined;
  /** A new object here makes the transport open new connections. */
  readonly clientCertificate?: ClientCertificate | undefined;
}

/** Where the identity on requests comes from. Errors are `CREDENTIAL_FAILED`; none of them contains a secret. */
export interface Credential {
  /** The present material; fetched, if need be, in bounded time. Concurrent calls share one fetch. */
  current(signal: AbortSignal): Promise<AuthMaterial>;
  /** The server refused this material with 401: unless it has been replaced already, the next `current` gets it anew. */
  refused(material: AuthMaterial): void;
}

/** A value given directly, or the file that holds it. */
export type ValueSource = { readonly value: Secret } | { readonly file: string };

/** The parts of a credential that needs no program and no network. */
export interface PlainCredentialSources {
  readonly token?: ValueSource | undefined;
  readonly certificate?: ValueSource | undefined;
  readonly key?: ValueSource | undefined;
  readonly basic?: { readonly username: string; readonly password: Secret } | undefined;
}

/** Files are read again after this time, as client-go does. */
const RELOAD_AFTER_MS = 60_000;

/** Token, basic authentication and client certificate, from values or from files that are re-read every minute. */
export class PlainCredential implements Credential {
  readonly #sources: PlainCredentialSources;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #hasFiles: boolean;
  #material: AuthMaterial | undefined;
  #loadedAt = 0;
  #loading: Promise<AuthMaterial> | undefined;

  constructor(sources: PlainCredentialSources, clock: Pick<Clock, 'monotonic'>) {
    this.#sources = sources;
    this.#clock = clock;
    this.#hasFiles = [sources.token, sources.certificate, sources.key].some((source) => source && 'file' in source);
  }

  current(_signal: AbortSignal): Promise<AuthMaterial> {
    const stale = this.#hasFiles && this.#clock.monotonic() - this.#loadedAt >= RELOAD_AFTER_MS;
    if (this.#material && !stale) return Promise.resolve(this.#material);
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  refused(material: AuthMaterial): void {
    if (this.#hasFiles && material === this.#material) this.#loadedAt = -Infinity;
  }

  async #load(): Promise<AuthMaterial> {
    try {
      this.#material = reuse(this.#material, await this.#read());
    } catch (error) {
      // A file that is being replaced can be missing for a moment; what was read last may well be valid still.
      if (!this.#material) throw error;
    }
    this.#loadedAt = this.#clock.monotonic();
    return this.#material;
  }

  async #read(): Promise<AuthMaterial> {
    const { token, certificate, key, basic } = this.#sources;
    const [tokenValue, certificateValue, keyValue] = await Promise.all([read(token), read(certificate), read(key)]);
    return {
      authorization: tokenValue ? bearer(tokenValue.reveal()) : basicHeader(basic),
      clientCertificate:
        certificateValue && keyValue ? { certificate: certificateValue.reveal(), key: keyValue } : undefined,
    };
  }
}

/** The `Authorization` header for a bearer token. */
export function bearer(token: string): Secret {
  return new Secret(`Bearer ${token.trim()}`);
}

/** Keeps the old objects where nothing changed, since a new client certificate costs new connections. */
function reuse(old: AuthMaterial | undefined, next: AuthMaterial): AuthMaterial {
  if (!old) return next;
  const sameCertificate = sameClientCertificate(old.clientCertificate, next.clientCertificate);
  if (sameCertificate && old.authorization?.reveal() === next.authorization?.reveal()) return old;
  return { ...next, clientCertificate: sameCertificate ? old.clientCertificate : next.clientCertificate };
}

/** Whether both are the same certificate with the same key. */
export function sameClientCertificate(a: ClientCertificate | undefined, b: ClientCertificate | undefined): boolean {
  return a?.certificate === b?.certificate && a?.key.reveal() === b?.key.reveal();
}

function basicHeader(basic: PlainCredentialSources['basic']): Secret | undefined {
  if (!basic) return undefined;
  return new Secret(`Basic ${Buffer.from(`${basic.username}:${basic.password.reveal()}`).toString('base64')}`);
}

async function read(source: ValueSource | undefined): Promise<Secret | undefined> {
  if (!source) return undefined;
  if ('value' in source) return source.value;
  try {
    return new Secret(await readFile(source.file, 'utf8'));
  } catch (error) {
    throw new FederationError('CREDENTIAL_FAILED', `cannot read ${source.file}`, { cause: error });
  }
}

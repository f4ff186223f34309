import { createHash } from 'node:crypto';
import type { Credential } from './credential.js';
import type { Secret } from './secret.js';

/** All that is needed to talk to one API server. */
export interface ClusterAccess {
  /** `https://host:port`, perhaps with a path prefix; without user and password. */
  readonly server: string;
  /** PEM certificates that the server's certificate must chain to; the system's when absent. */
  readonly certificateAuthority?: string | undefined;
  /** The name to expect in the server's certificate, when it is not the one in the URL. */
  readonly tlsServerName?: string | undefined;
  /** The server's certificate is not checked. */
  readonly insecureSkipTlsVerify: boolean;
  /** `http://`, `https://` or `socks5://`; secret because it may hold a password. */
  readonly proxyUrl?: Secret | undefined;
  readonly credential: Credential;
  /** `Impersonate-*` headers, in pairs of name and value. */
  readonly impersonation?: readonly (readonly [string, string])[] | undefined;
  /** Digest of everything above as it was configured: another one means that connections must be made anew. */
  readonly fingerprint: string;
}

/** SHA-256 (hex) of a JSON-like value; the order of keys doesn't matter. */
export function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

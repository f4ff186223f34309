/** What a service account's token says about itself. Times are of the clock of the API server that issued it. */
export interface ServiceAccountToken {
  readonly namespace: string;
  readonly name: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/**
 * Reads the claims of a bound token (KEP-1205); undefined for everything else, tokens without an end among them. Nothing is
 * verified: it is for planning, not for deciding who somebody is.
 */
export function readServiceAccountToken(token: string): ServiceAccountToken | undefined {
  const claims = claimsOf(token);
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(String(claims?.['sub'])) ?? [];
  const { iat, exp } = claims ?? {};
  if (namespace === undefined || name === undefined) return undefined;
  if (typeof iat !== 'number' || typeof exp !== 'number' || exp <= iat) return undefined;
  return { namespace, name, issuedAtMs: iat * 1000, expiresAtMs: exp * 1000 };
}

function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    // Not a JSON Web Token; the parser's words would quote it.
    return undefined;
  }
}

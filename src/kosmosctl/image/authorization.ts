import type { RegistryCredential } from './credentials.js';
import type { Challenge } from './challenge.js';

/** A request for a token, as the server that gives them wants it. */
export interface TokenRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The header for `basic`, which has the password in it. */
export function basicAuthorization({ username, password }: RegistryCredential): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;
}

/**
 * How to get a token for a challenge `bearer`: by GET with the password (distribution's token specification), or by POST
 * with a refresh token (its OAuth2 specification).
 *
 * @param scopes - what the token is to allow, each as `repository:NAME:pull,push`
 * @returns undefined when the challenge doesn't say where tokens are
 */
export function tokenRequest(
  { parameters }: Challenge,
  credential: RegistryCredential | undefined,
  scopes: readonly string[],
): TokenRequest | undefined {
  const { realm, service } = parameters;
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  if (credential?.isRefreshToken === true) {
    const form = new URLSearchParams({
      ...{ grant_type: 'refresh_token', refresh_token: credential.password.reveal() },
      ...{ client_id: 'kosmosctl', scope: scopes.join(' ') },
      ...(service !== undefined && { service }),
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url, headers, body: form.toString() };
  }
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const headers = credential === undefined ? {} : { authorization: basicAuthorization(credential) };
  return { method: 'GET', url, headers };
}

/** The token of an answer, which servers name in either way. */
export function tokenOf(answer: string): string | undefined {
  try {
    const { token, access_token: accessToken } = JSON.parse(answer) as Readonly<Record<string, unknown>>;
    return [token, accessToken].find((found) => typeof found === 'string' && found !== '') as string | undefined;
  } catch {
    // The answer may have a token in it, so that not even the parser's words are kept.
    return undefined;
  }
}

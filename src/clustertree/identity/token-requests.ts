import type { Pod, TokenRequest } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import { tokenRequests } from '../../kube/resource.js';
import { FederationError } from '../../lib/errors.js';
import type { TokenReference } from '../cluster/pod-references.js';
import type { IssuedToken } from './token-secret.js';

/**
 * What a pod without a wish gets, and the most that any gets. An API server extends what the admission of pods asks for,
 * 3607 s, to a year; so nothing but this limit is ever asked for in its place.
 */
export const LONGEST_SECONDS = 3600;
/** What the API refuses to go below. */
const SHORTEST_SECONDS = 600;

/** The lifetime to ask for, whatever the pod says. */
export function wantedSeconds(wish: number | undefined): number {
  return Math.min(Math.max(wish ?? LONGEST_SECONDS, SHORTEST_SECONDS), LONGEST_SECONDS);
}

/** A request for a token that is good for as long as the host pod exists, and no longer than its lifetime. */
export function tokenRequest(hostPod: Pod, { audience, expirationSeconds }: TokenReference): TokenRequest {
  const { namespace, name, uid } = hostPod.metadata ?? {};
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { namespace, name: hostPod.spec?.serviceAccountName || 'default' },
    spec: {
      audiences: audience ? [audience] : [],
      expirationSeconds: wantedSeconds(expirationSeconds),
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    },
  };
}

/** Has the host issue a token. Fails as the API does: 404 without the service account or the pod, 409 for another pod. */
export async function requestToken(
  host: Pick<KubeClient, 'create'>,
  hostPod: Pod,
  reference: TokenReference,
  signal: AbortSignal,
): Promise<IssuedToken> {
  const request = tokenRequest(hostPod, reference);
  const { status } = await host.create(tokenRequests, request, { subresource: 'token', signal });
  const token = status?.token ?? '';
  const times = timesOf(token);
  if (times === undefined) throw new FederationError('API_ERROR', 'the host issued a token without times');
  return { key: reference.key, token, ...times };
}

/** From the claims of a JSON web token; its signature is for others to verify. Never quotes it. */
function timesOf(token: string): { readonly issuedAt: number; readonly expiresAt: number } | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      readonly iat?: unknown;
      readonly exp?: unknown;
    };
    if (typeof claims.iat !== 'number' || typeof claims.exp !== 'number') return undefined;
    return { issuedAt: Math.floor(claims.iat), expiresAt: Math.floor(claims.exp) };
  } catch {
    // No JSON web token; the parser's own words would quote it.
    return undefined;
  }
}

import type { KubeObject } from '../../src/apis/core.js';
import { ApiError } from '../../src/kube/api-error.js';
import { createKubeClient } from '../../src/kube/http-client.js';
import { parseKubeconfig } from '../../src/kube/kubeconfig.js';
import type { ResourceType } from '../../src/kube/resource.js';
import { Secret } from '../../src/kube/secret.js';
import { createTransport } from '../../src/kube/transport.js';

interface SelfSubjectReview extends KubeObject {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}

const selfSubjectReviews: ResourceType<SelfSubjectReview> = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
};

/** Claims of a service account token, as an API server issues them. */
export interface TokenClaims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly sub: string;
  readonly 'kubernetes.io': { readonly pod?: { readonly name: string; readonly uid: string } };
}

/** Reads a token without verifying it. */
export function claimsOf(token: string): TokenClaims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as TokenClaims;
}

/** The user that an API server takes the bearer of a token for; undefined when it refuses the token. */
export async function userOfToken(kubeconfig: string, token: string): Promise<string | undefined> {
  const material = { authorization: new Secret(`Bearer ${token}`) };
  const credential = { current: () => Promise.resolve(material), refused: () => undefined };
  const access = { ...parseKubeconfig(kubeconfig, { allowFiles: true }), credential };
  const client = createKubeClient(createTransport({ access }));
  try {
    const { apiVersion, kind } = selfSubjectReviews;
    const { status } = await client.create(selfSubjectReviews, { apiVersion, kind });
    return status?.userInfo?.username;
  } catch (error) {
    if (error instanceof ApiError && error.statusCode === 401) return undefined;
    throw error;
  } finally {
    await client.close();
  }
}

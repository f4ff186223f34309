import type { KubeObject } from '../../apis/core.js';
import type { ResourceType } from '../../kube/resource.js';

/** `authentication.k8s.io/v1` TokenReview, as far as it is used. */
export interface TokenReview extends KubeObject {
  readonly spec: { readonly token: string };
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: {
      readonly username?: string;
      readonly uid?: string;
      readonly groups?: readonly string[];
      readonly extra?: Readonly<Record<string, readonly string[]>>;
    };
    readonly error?: string;
  };
}

/** `authorization.k8s.io/v1` SubjectAccessReview, as far as it is used. */
export interface SubjectAccessReview extends KubeObject {
  readonly spec: {
    readonly user: string;
    readonly uid?: string | undefined;
    readonly groups: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
    readonly resourceAttributes: {
      readonly verb: string;
      readonly version: 'v1';
      readonly resource: 'nodes';
      readonly subresource: string;
      readonly name: string;
    };
  };
  readonly status?: { readonly allowed?: boolean };
}

export const tokenReviews: ResourceType<TokenReview> = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
};

export const subjectAccessReviews: ResourceType<SubjectAccessReview> = {
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
};

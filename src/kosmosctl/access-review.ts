import type { KubeObject } from '../apis/core.js';
import type { KubeClient } from '../kube/client.js';
import type { ResourceType } from '../kube/resource.js';

interface SelfSubjectAccessReview extends KubeObject {
  readonly spec: { readonly resourceAttributes: RightQuestion };
  readonly status?: { readonly allowed?: boolean };
}

/** A right that is asked for. */
export interface RightQuestion {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly subresource?: string;
  readonly namespace?: string;
}

const reviews: ResourceType<SelfSubjectAccessReview> = {
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
};

/** Whether whoever runs the command has a right in a cluster. */
export async function isAllowed(client: KubeClient, right: RightQuestion, signal: AbortSignal): Promise<boolean> {
  const { apiVersion, kind } = reviews;
  const review = { apiVersion, kind, spec: { resourceAttributes: right } };
  return (await client.create(reviews, review, { signal })).status?.allowed === true;
}

import { createHash } from 'node:crypto';
import type { CertificateSigningRequest } from '../../apis/core.js';
import { KUBELET_SERVING_LABEL, VIRTUAL_NODE_ANNOTATION } from '../../apis/names.js';
import { createCertificateRequest, publicKeyOf, type ServingSubject } from '../../pki/serving-certificate.js';

export const SERVING_SIGNER = 'kubernetes.io/kubelet-serving';

/** Whom the certificate of a virtual node is for; the signer takes exactly this form. */
export function servingSubject(node: string, addresses: readonly string[]): ServingSubject {
  return { commonName: `system:node:${node}`, organization: 'system:nodes', addresses };
}

/** The name of a request follows from its key and its addresses, so that a second one is never made by accident. */
export function servingRequestName(key: string, addresses: readonly string[]): string {
  const digest = createHash('sha256').update(publicKeyOf(key)).update(JSON.stringify(addresses)).digest('hex');
  return `kosmos-kubelet-${digest.slice(0, 32)}`;
}

/** The request that asks the cluster to sign. */
export function desiredServingRequest(
  node: string,
  key: string,
  addresses: readonly string[],
): CertificateSigningRequest {
  const request = createCertificateRequest(servingSubject(node, addresses), key);
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: {
      name: servingRequestName(key, addresses),
      labels: { [KUBELET_SERVING_LABEL]: 'true' },
      annotations: { [VIRTUAL_NODE_ANNOTATION]: node },
    },
    spec: {
      request: Buffer.from(request).toString('base64'),
      signerName: SERVING_SIGNER,
      // The signer insists on exactly these for such a key.
      usages: ['digital signature', 'server auth'],
    },
  };
}

/** Name of the node that a request is for. */
export function nodeOfRequest(request: CertificateSigningRequest): string | undefined {
  return request.metadata?.annotations?.[VIRTUAL_NODE_ANNOTATION];
}

/** The request with our approval. */
export function approved(request: CertificateSigningRequest, now: string): CertificateSigningRequest {
  const approval = {
    type: 'Approved',
    status: 'True',
    reason: 'VirtualNode',
    message: 'serving certificate of a virtual node that the manager serves',
    lastUpdateTime: now,
    lastTransitionTime: now,
  };
  return { ...request, status: { ...request.status, conditions: [...(request.status?.conditions ?? []), approval] } };
}

import { createHash } from 'node:crypto';
import type { Node, Secret } from '../../apis/core.js';
import { KUBELET_SERVING_LABEL, NODE_CLUSTER_ANNOTATION, VIRTUAL_NODE_ANNOTATION } from '../../apis/names.js';
import { readServingCertificate, type ServingCertificate } from '../../pki/serving-certificate.js';

/** How virtual nodes come by their serving certificates. */
export type ServingMode = 'csr' | 'self-signed';

/** Selects the Secrets that hold serving certificates. */
export const SERVING_SELECTOR = `${KUBELET_SERVING_LABEL}=true`;

/** What a Secret holds; all of it PEM. */
export interface ServingMaterial {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** The key that a certificate is being asked for. */
  readonly nextKey: string | undefined;
}

const CERTIFICATE = 'tls.crt';
const KEY = 'tls.key';
const NEXT_KEY = 'next.key';
const MAX_NAME_LENGTH = 253;
const PREFIX = 'kubelet-serving-';

/** Name of the Secret of a virtual node. */
export function servingSecretName(node: string): string {
  const name = `${PREFIX}${node}`;
  return name.length <= MAX_NAME_LENGTH ? name : `${PREFIX}${createHash('sha256').update(node).digest('hex')}`;
}

export function readMaterial(secret: Secret | undefined): ServingMaterial {
  const read = (key: string): string | undefined => {
    const encoded = secret?.data?.[key];
    return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
  };
  return { certificate: read(CERTIFICATE), key: read(KEY), nextKey: read(NEXT_KEY) };
}

/** The Secret that should be there; it goes with its Node. */
export function desiredServingSecret(node: Node, namespace: string, material: ServingMaterial): Secret {
  const { name = '', uid = '', annotations = {} } = node.metadata ?? {};
  const entries = Object.entries({
    [CERTIFICATE]: material.certificate,
    [KEY]: material.key,
    [NEXT_KEY]: material.nextKey,
  });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: servingSecretName(name),
      labels: { [KUBELET_SERVING_LABEL]: 'true' },
      annotations: {
        [VIRTUAL_NODE_ANNOTATION]: name,
        [NODE_CLUSTER_ANNOTATION]: annotations[NODE_CLUSTER_ANNOTATION] ?? '',
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
    },
    type: 'Opaque',
    data: Object.fromEntries(
      entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, Buffer.from(value).toString('base64')]])),
    ),
  };
}

/** Name of the node whose certificate a Secret holds. */
export function nodeOfSecret(secret: Secret): string | undefined {
  return secret.metadata?.annotations?.[VIRTUAL_NODE_ANNOTATION];
}

/** What a certificate must be to be used. */
export interface ServingPolicy {
  readonly mode: ServingMode;
  /** The addresses that virtual nodes publish. */
  readonly addresses: readonly string[];
}

/**
 * The certificate in a Secret, if it is for these addresses and of the right kind. Whether it has expired is another
 * question.
 */
export function certificateIn(material: ServingMaterial, policy: ServingPolicy): ServingCertificate | undefined {
  const { certificate, key } = material;
  if (certificate === undefined || key === undefined) return undefined;
  const found = readServingCertificate(certificate, key, policy.addresses);
  return found !== undefined && found.selfSigned === (policy.mode === 'self-signed') ? found : undefined;
}

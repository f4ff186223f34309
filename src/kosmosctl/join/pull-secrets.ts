import type { Secret } from '../../apis/core.js';
import { secrets } from '../../kube/resource.js';
import { usageError } from '../failure.js';
import { isManaged } from '../managed-by.js';
import type { Manifest } from '../manifests/installation.js';
import { findObject } from '../objects.js';
import type { ClusterSession } from '../session.js';
import { identityLabels, ownerOf, type MemberIdentity } from './identity.js';

/** Types of Secrets that kubelets take credentials of registries from. */
const REGISTRY_TYPES: readonly (string | undefined)[] = ['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg'];

interface Wish {
  /** Of the installation in the host. */
  readonly namespace: string;
  readonly memberNamespace: string;
  readonly imagePullSecrets: readonly string[];
}

/**
 * The Secrets of the host that have to be copied into the member; one that somebody else has made there is used as it is.
 *
 * @throws CliError when one is in neither of them, or holds something else
 */
export async function findPullSecrets(
  host: ClusterSession,
  member: ClusterSession,
  { namespace, memberNamespace, imagePullSecrets }: Wish,
  signal: AbortSignal,
): Promise<readonly Secret[]> {
  const toCopy: Secret[] = [];
  for (const name of imagePullSecrets) {
    const there = await findObject(member.client, secrets, { namespace: memberNamespace, name }, signal);
    const isForeign = there !== undefined && !isManaged(there);
    const secret = isForeign ? there : await findObject(host.client, secrets, { namespace, name }, signal);
    if (secret === undefined) {
      throw usageError(
        `--image-pull-secret: there is no Secret ${namespace}/${name} in the host`,
        `Make it there with "kubectl create secret docker-registry", or in ${memberNamespace} of the member.`,
      );
    }
    if (!REGISTRY_TYPES.includes(secret.type)) {
      throw usageError(
        `--image-pull-secret: the Secret ${name} is of the type ${secret.type ?? 'Opaque'}, not ${REGISTRY_TYPES[0]}`,
        'Make it with "kubectl create secret docker-registry".',
      );
    }
    if (!isForeign) toCopy.push(secret);
  }
  return toCopy;
}

/** The copy for the agents of a member; it goes with the identity of the manager there. */
export function pullSecretCopy({ metadata, type, data }: Secret, identity: MemberIdentity, roleUid: string): Manifest {
  return {
    ...{ apiVersion: 'v1', kind: 'Secret', type, data },
    metadata: {
      ...{ name: metadata?.name ?? '', namespace: identity.namespace, labels: identityLabels(identity) },
      ownerReferences: [ownerOf(identity, roleUid)],
    },
  };
}

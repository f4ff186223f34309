import type { StorageClass } from '../../apis/core.js';
import { MEMBER_PROVISIONER } from '../../apis/names.js';

/** Who makes the volumes of a StorageClass of the host. */
export type ClassService =
  | { readonly kind: 'member' }
  /** Somebody else. */
  | { readonly kind: 'other' }
  /** The Cluster maps the class, but something in the host serves it: that one goes first. */
  | { readonly kind: 'contested'; readonly message: string };

/** Where the provisioners live that kube-controller-manager itself runs. */
const IN_TREE_PREFIX = 'kubernetes.io/';

/**
 * Who makes the volumes of a class for pods of one member. `classMap` is the Cluster's; `isHostDriver` says whether the
 * host has a CSI driver of that name.
 */
export function serviceOf(
  hostClass: StorageClass | undefined,
  classMap: Readonly<Record<string, string>>,
  isHostDriver: (name: string) => boolean,
): ClassService {
  if (hostClass === undefined) return { kind: 'other' };
  const name = hostClass.metadata?.name ?? '';
  const { provisioner } = hostClass;
  if (provisioner === MEMBER_PROVISIONER) return { kind: 'member' };
  if (!Object.hasOwn(classMap, name)) return { kind: 'other' };
  if (provisioner.startsWith(IN_TREE_PREFIX) || isHostDriver(provisioner)) {
    const message =
      `StorageClass ${name} is in the Cluster's clusterTreeOptions.storageClassMap, but ${provisioner} serves it in ` +
      `the host. Use a StorageClass with provisioner ${MEMBER_PROVISIONER}.`;
    return { kind: 'contested', message };
  }
  return { kind: 'member' };
}

/** Name in the member of a class of the host. */
export function memberClassName(hostName: string, classMap: Readonly<Record<string, string>>): string {
  return (Object.hasOwn(classMap, hostName) ? classMap[hostName] : undefined) ?? hostName;
}

/** Whether a class binds its claims without waiting for a pod. */
export function isImmediate({ volumeBindingMode }: Pick<StorageClass, 'volumeBindingMode'>): boolean {
  return volumeBindingMode !== 'WaitForFirstConsumer';
}

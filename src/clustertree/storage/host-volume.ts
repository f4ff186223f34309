import type { Claim, PersistentVolume, StorageClass } from '../../apis/core.js';
import {
  CLUSTER_LABEL,
  CLUSTER_OWNERS_ANNOTATION,
  HOSTNAME_LABEL,
  MEMBER_CLUSTER_ANNOTATION,
  MEMBER_CSI_DRIVER,
  MEMBER_PROVISIONER,
  MEMBER_VOLUME_ANNOTATION,
  ONE_WAY_ANNOTATION,
  PROVISIONED_BY_ANNOTATION,
  SHARED_VOLUME_ANNOTATION,
} from '../../apis/names.js';
import { keyOf, type ObjectKey } from '../../kube/resource.js';
import { annotationOf, nameOf, policyOf, requestOf, sizeOf, uidOf } from './fields.js';

/** Where the data behind a volume of the host is. */
export type VolumeSite =
  /** In a member; the volume of the host only stands for it. */
  | { readonly kind: 'member'; readonly cluster: string }
  /** In the host, and some members can reach it. */
  | { readonly kind: 'one-way'; readonly reaches: (cluster: string) => boolean }
  /** In the host alone. `driver` says what kind of volume it is, for people. */
  | { readonly kind: 'host'; readonly driver: string };

/** Value of {@link ONE_WAY_ANNOTATION} that means every member. */
const EVERY_MEMBER = 'true';
const NOT_A_SOURCE: ReadonlySet<string> = new Set([
  ...['accessModes', 'capacity', 'claimRef', 'mountOptions', 'nodeAffinity', 'persistentVolumeReclaimPolicy'],
  ...['storageClassName', 'volumeAttributesClassName', 'volumeMode'],
]);

/**
 * Where the data is. Volumes that were made for a member by somebody else, and then adopted, say so in an annotation. A
 * one-way annotation of the volume itself wins over that of its class.
 */
export function siteOf(volume: PersistentVolume, hostClass: StorageClass | undefined): VolumeSite {
  const { csi } = volume.spec ?? {};
  if (csi?.driver === MEMBER_CSI_DRIVER) return { kind: 'member', cluster: csi.volumeHandle.split('/', 1)[0] ?? '' };
  const adopted = annotationOf(volume, MEMBER_CLUSTER_ANNOTATION);
  if (adopted !== undefined) return { kind: 'member', cluster: adopted };
  const text = annotationOf(volume, ONE_WAY_ANNOTATION) ?? annotationOf(hostClass, ONE_WAY_ANNOTATION);
  if (text === undefined || text === 'false') return { kind: 'host', driver: driverOf(volume) };
  const names = new Set(text.split(',').map((name) => name.trim()));
  return { kind: 'one-way', reaches: (cluster) => names.has(EVERY_MEMBER) || names.has(cluster) };
}

function driverOf({ spec }: PersistentVolume): string {
  return spec?.csi?.driver ?? Object.keys(spec ?? {}).find((key) => !NOT_A_SOURCE.has(key)) ?? 'unknown';
}

/** The virtual node that a volume is pinned to, as {@link desiredHostVolume} writes it. */
export function nodeOf(volume: PersistentVolume): string | undefined {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const expressions = terms.flatMap(({ matchExpressions }) => matchExpressions ?? []);
  return expressions.find(({ key, operator }) => key === HOSTNAME_LABEL && operator === 'In')?.values?.[0];
}

/** Key of the claim that a volume is for; empty when it is for none. */
export function claimKeyOf({ spec }: PersistentVolume): ObjectKey {
  return keyOf({ namespace: spec?.claimRef?.namespace, name: spec?.claimRef?.name ?? '' });
}

/** Name of the member's volume behind a volume of the host, once that is known. */
export function memberVolumeName(volume: PersistentVolume | undefined): string | undefined {
  return annotationOf(volume, MEMBER_VOLUME_ANNOTATION);
}

/** The Clusters whose pods may use a one-way volume at this moment. */
export function ownersOf(volume: PersistentVolume): readonly string[] {
  const text = annotationOf(volume, CLUSTER_OWNERS_ANNOTATION) ?? '';
  return text.split(',').filter((name) => name !== '');
}

/** Whether pods of several members may use the volume at the same time. */
export function isShared(volume: PersistentVolume): boolean {
  return annotationOf(volume, SHARED_VOLUME_ANNOTATION) === 'true';
}

/** Name of the volume that is made in the host for a claim, as Kubernetes' provisioners build it. */
export function hostVolumeName(hostClaim: Claim): string {
  return `pvc-${uidOf(hostClaim)}`;
}

/** What a volume of the host is made from. */
export interface HostVolumeInput {
  readonly hostClaim: Claim;
  readonly hostClass: StorageClass;
  readonly cluster: string;
  /** The virtual node that the claim's first pod goes to. */
  readonly node: string;
  /** The member's volume when there is one already. */
  readonly memberVolume?: PersistentVolume | undefined;
}

/**
 * The volume that stands in the host for one in a member. Its source can't change later, so it says nothing but whose
 * claim it is; what becomes known when the member has made its volume is written by `hostVolumePatch`.
 */
export function desiredHostVolume(input: HostVolumeInput): PersistentVolume {
  const { hostClaim, hostClass, cluster, node, memberVolume } = input;
  const { namespace, name } = hostClaim.metadata ?? {};
  const uid = uidOf(hostClaim);
  const expression = { key: HOSTNAME_LABEL, operator: 'In', values: [node] };
  const { accessModes, volumeMode, storageClassName } = hostClaim.spec ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: hostVolumeName(hostClaim),
      labels: { [CLUSTER_LABEL]: cluster },
      annotations: {
        [PROVISIONED_BY_ANNOTATION]: MEMBER_PROVISIONER,
        [CLUSTER_OWNERS_ANNOTATION]: cluster,
        ...(memberVolume && { [MEMBER_VOLUME_ANNOTATION]: nameOf(memberVolume) }),
      },
    },
    spec: {
      accessModes: memberVolume?.spec?.accessModes ?? accessModes,
      capacity: { storage: sizeOf(memberVolume) ?? requestOf(hostClaim) ?? '' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      csi: { driver: MEMBER_CSI_DRIVER, volumeHandle: `${cluster}/${uid}` },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
      persistentVolumeReclaimPolicy: initialPolicy(hostClass.reclaimPolicy, memberVolume),
      storageClassName,
      volumeMode,
    },
  };
}

/** Until both sides agreed for the first time, whoever wants to keep the data has it kept. */
export function initialPolicy(hostPolicy: string | undefined, memberVolume: PersistentVolume | undefined): string {
  const policies = [hostPolicy ?? 'Delete', policyOf(memberVolume)];
  return policies.includes('Retain') ? 'Retain' : 'Delete';
}

import type { ObjectMeta, PodSpec, Volume } from '../../apis/core.js';
import { HOST_UID_ANNOTATION } from '../../apis/names.js';
import { isReservedName, memberConfigMapName, tokenSecretName } from '../cluster/member-names.js';
import { ephemeralClaimName, tokenKey } from '../cluster/pod-references.js';
import type { Findings } from './findings.js';
import { refuseNeed, refuseReserved } from './needs.js';

type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];
type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

/** Every volume source of Kubernetes 1.36; of these it is known what they refer to. */
const KNOWN_SOURCES: ReadonlySet<string> = new Set([
  ...['awsElasticBlockStore', 'azureDisk', 'azureFile', 'cephfs', 'cinder', 'configMap', 'csi', 'downwardAPI'],
  ...['emptyDir', 'ephemeral', 'fc', 'flexVolume', 'flocker', 'gcePersistentDisk', 'gitRepo', 'glusterfs', 'hostPath'],
  ...['image', 'iscsi', 'nfs', 'persistentVolumeClaim', 'photonPersistentDisk', 'portworxVolume', 'projected'],
  ...['quobyte', 'rbd', 'scaleIO', 'secret', 'storageos', 'vsphereVolume'],
]);

/** The volumes as they are mounted in the member. Tokens come from the Secret that is made for the host pod. */
export function translateVolumes(
  volumes: PodSpec['volumes'],
  hostPod: Pick<ObjectMeta, 'uid' | 'name'>,
  findings: Findings,
  rootCa?: string,
): readonly Volume[] | undefined {
  return volumes?.map((volume, index) =>
    translateVolume(volume, {
      hostUid: hostPod.uid ?? '',
      podName: hostPod.name ?? '',
      index,
      path: `spec.volumes[${volume.name}]`,
      findings,
      rootCa,
    }),
  );
}

/** Where a volume stands, and what it is translated with. */
interface VolumeContext {
  readonly hostUid: string;
  readonly podName: string;
  readonly index: number;
  readonly path: string;
  readonly findings: Findings;
  /** Name of the host's root certificates in the member. */
  readonly rootCa: string | undefined;
}

function translateVolume(volume: Volume, context: VolumeContext): Volume {
  const { path, findings } = context;
  reportUnknown(volume, context);
  if (volume.configMap) {
    refuseReservedName('ConfigMap', volume.configMap.name, `${path}.configMap`, findings);
    return { ...volume, configMap: inMember(volume.configMap, context.rootCa) };
  }
  if (volume.secret) refuseReservedName('Secret', volume.secret.secretName, `${path}.secret`, findings);
  if (volume.ephemeral) return ephemeralClaim(volume, context.podName);
  if (volume.glusterfs) refuseNeed(findings, `${path}.glusterfs.endpoints`, 'NeedsEndpoints');
  if (volume.downwardAPI) {
    return { ...volume, downwardAPI: { ...volume.downwardAPI, items: volume.downwardAPI.items?.map(hostUidFile) } };
  }
  if (volume.projected) {
    const sources = (volume.projected.sources ?? []).flatMap((source, place) =>
      translateProjection(source, place, { ...context, path: `${path}.projected.sources[${place}]` }),
    );
    return { ...volume, projected: { ...volume.projected, sources } };
  }
  return volume;
}

/** The host's controller has made the claim from the pod; the member must mount its copy and not make another. */
function ephemeralClaim({ ephemeral: _ephemeral, ...volume }: Volume, podName: string): Volume {
  return { ...volume, persistentVolumeClaim: { claimName: ephemeralClaimName(podName, volume.name) } };
}

/** A source that is newer than this program may refer to objects that nobody copies. */
function reportUnknown(volume: Volume, { path, findings }: VolumeContext): void {
  const unknown = Object.keys(volume).filter((key) => key !== 'name' && !KNOWN_SOURCES.has(key));
  for (const source of unknown) {
    const message = 'is not known; it travels as it is, without any object that it may refer to.';
    findings.drop(`${path}.${source}`, message, 'UnknownVolumeSource');
  }
}

function translateProjection(source: Projection, place: number, context: VolumeContext): Projection[] {
  const { path, findings, hostUid, index } = context;
  if (source.clusterTrustBundle?.optional === true) {
    findings.drop(path, 'optional object that is not copied');
    return [];
  }
  if (source.clusterTrustBundle) refuseNeed(findings, `${path}.clusterTrustBundle`, 'NeedsTrustBundle');
  if (source.podCertificate) refuseNeed(findings, `${path}.podCertificate`, 'NeedsPodCertificate');
  if (source.serviceAccountToken) {
    const { serviceAccountToken: token, ...rest } = source;
    const items = [{ key: tokenKey(index, place), path: token.path }];
    return [{ ...rest, secret: { name: tokenSecretName(hostUid), items } }];
  }
  if (source.configMap) {
    refuseReservedName('ConfigMap', source.configMap.name, `${path}.configMap`, findings);
    return [{ ...source, configMap: inMember(source.configMap, context.rootCa) }];
  }
  if (source.secret) refuseReservedName('Secret', source.secret.name, `${path}.secret`, findings);
  if (!source.downwardAPI) return [source];
  return [{ ...source, downwardAPI: { ...source.downwardAPI, items: source.downwardAPI.items?.map(hostUidFile) } }];
}

function inMember<T extends { readonly name?: string | undefined }>(source: T, rootCa: string | undefined): T {
  return source.name === undefined ? source : { ...source, name: memberConfigMapName(source.name, rootCa) };
}

function refuseReservedName(
  kind: 'ConfigMap' | 'Secret',
  name: string | undefined,
  path: string,
  findings: Findings,
): void {
  if (name !== undefined && isReservedName(kind, name)) refuseReserved(findings, path, name);
}

/** A file can't hold a literal, but it can show the annotation in which the member pod carries the host's UID. */
function hostUidFile(file: DownwardFile): DownwardFile {
  if (file.fieldRef?.fieldPath !== 'metadata.uid') return file;
  return { ...file, fieldRef: { ...file.fieldRef, fieldPath: `metadata.annotations['${HOST_UID_ANNOTATION}']` } };
}

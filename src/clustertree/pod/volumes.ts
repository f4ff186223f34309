import type { Volume } from '../../apis/core.js';
import { HOST_UID_ANNOTATION } from '../../apis/names.js';
import { sameJson } from '../../lib/same-json.js';
import type { Findings } from './findings.js';
import { refuseNeed } from './needs.js';

type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];
type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

/** Volume sources that name a Secret, and the field that names it. */
const SECRET_FIELDS = {
  azureFile: 'secretName',
  cephfs: 'secretRef',
  cinder: 'secretRef',
  csi: 'nodePublishSecretRef',
  flexVolume: 'secretRef',
  iscsi: 'secretRef',
  rbd: 'secretRef',
  scaleIO: 'secretRef',
  storageos: 'secretRef',
} as const;

export interface TranslatedVolumes {
  readonly volumes: readonly Volume[];
  /** Names of volumes that are left out. */
  readonly removed: ReadonlySet<string>;
}

/** The volumes as they are mounted in the member. */
export function translateVolumes(volumes: readonly Volume[], findings: Findings): TranslatedVolumes {
  const removed = new Set<string>();
  const kept: Volume[] = [];
  for (const volume of volumes) {
    const path = `spec.volumes[${volume.name}]`;
    if (isAutomaticToken(volume)) {
      removed.add(volume.name);
      findings.drop(path, 'the automatic service account token of the host means nothing to the member');
    } else {
      kept.push(translateVolume(volume, path, findings));
    }
  }
  return { volumes: kept, removed };
}

/** What the ServiceAccount admission of an API server projects, apart from the token's lifetime, which it is told. */
const AUTOMATIC_SOURCES: readonly Projection[] = [
  { serviceAccountToken: { path: 'token' } },
  { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
  {
    downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] },
  },
];

/**
 * Recognises exactly the volume that the ServiceAccount admission of an API server adds. One that somebody wrote by
 * hand, with another audience or path for instance, is not it.
 */
export function isAutomaticToken(volume: Volume): boolean {
  if (!volume.name.startsWith('kube-api-access-') || !volume.projected) return false;
  const sources = volume.projected.sources?.map(({ serviceAccountToken: token, ...rest }) =>
    token ? { ...rest, serviceAccountToken: { ...token, expirationSeconds: undefined } } : rest,
  );
  return sameJson(sources, AUTOMATIC_SOURCES);
}

function translateVolume(volume: Volume, path: string, findings: Findings): Volume {
  if (volume.configMap) return optionalVolume(volume, volume.configMap, `${path}.configMap`, findings);
  if (volume.secret) return optionalVolume(volume, volume.secret, `${path}.secret`, findings);
  if (volume.persistentVolumeClaim) refuseNeed(findings, `${path}.persistentVolumeClaim`, 'NeedsClaim');
  if (volume.ephemeral) refuseNeed(findings, `${path}.ephemeral`, 'NeedsClaim');
  if (volume.glusterfs) refuseNeed(findings, `${path}.glusterfs.endpoints`, 'NeedsEndpoints');
  refuseSecrets(volume, path, findings);
  if (volume.downwardAPI) {
    return { ...volume, downwardAPI: { ...volume.downwardAPI, items: volume.downwardAPI.items?.map(hostUidFile) } };
  }
  if (volume.projected) {
    const sources = (volume.projected.sources ?? []).flatMap((source, index) =>
      translateProjection(source, `${path}.projected.sources[${index}]`, findings),
    );
    return { ...volume, projected: { ...volume.projected, sources } };
  }
  return volume;
}

/** A kubelet mounts an optional volume whose object is missing as an empty one; so does this. */
function optionalVolume(
  volume: Volume,
  source: { readonly optional?: boolean | undefined; readonly defaultMode?: number | undefined },
  path: string,
  findings: Findings,
): Volume {
  if (source.optional === true) findings.drop(path, 'optional object that is not copied; the volume is empty');
  else refuseNeed(findings, path, volume.secret ? 'NeedsSecret' : 'NeedsConfigMap');
  return { name: volume.name, projected: { defaultMode: source.defaultMode, sources: [] } };
}

function refuseSecrets(volume: Volume, path: string, findings: Findings): void {
  for (const [source, field] of Object.entries(SECRET_FIELDS)) {
    const value = volume[source as keyof typeof SECRET_FIELDS] as Readonly<Record<string, unknown>> | undefined;
    if (value?.[field]) refuseNeed(findings, `${path}.${source}.${field}`, 'NeedsSecret');
  }
}

function translateProjection(source: Projection, path: string, findings: Findings): Projection[] {
  const optional = source.configMap ?? source.secret ?? source.clusterTrustBundle;
  if (optional?.optional === true) {
    findings.drop(path, 'optional object that is not copied');
    return [];
  }
  if (source.configMap) refuseNeed(findings, `${path}.configMap`, 'NeedsConfigMap');
  if (source.secret) refuseNeed(findings, `${path}.secret`, 'NeedsSecret');
  if (source.clusterTrustBundle) refuseNeed(findings, `${path}.clusterTrustBundle`, 'NeedsTrustBundle');
  if (source.serviceAccountToken) refuseNeed(findings, `${path}.serviceAccountToken`, 'NeedsToken');
  if (source.podCertificate) refuseNeed(findings, `${path}.podCertificate`, 'NeedsPodCertificate');
  if (!source.downwardAPI) return [source];
  return [{ ...source, downwardAPI: { ...source.downwardAPI, items: source.downwardAPI.items?.map(hostUidFile) } }];
}

/** A file can't hold a literal, but it can show the annotation in which the member pod carries the host's UID. */
function hostUidFile(file: DownwardFile): DownwardFile {
  if (file.fieldRef?.fieldPath !== 'metadata.uid') return file;
  return { ...file, fieldRef: { ...file.fieldRef, fieldPath: `metadata.annotations['${HOST_UID_ANNOTATION}']` } };
}

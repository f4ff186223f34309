import type { Claim, PersistentVolume, StorageClass } from '../../apis/core.js';
import { HOST_UID_ANNOTATION, ONE_WAY_ANNOTATION } from '../../apis/names.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Informer } from '../../kube/informer.js';
import { claims, storageClasses, volumes, type ObjectKey } from '../../kube/resource.js';
import { informerProblem, type InformerHealth } from '../cluster/informer-problem.js';
import type { Member } from '../cluster/member.js';
import { keepOwnedKeys } from '../cluster/owned-keys.js';
import { isOwned, ownedSelector, type Ownership } from '../cluster/ownership.js';
import { claimKeyOf } from './host-volume.js';

const BY_COPY = 'copyOfClaim';
const KEPT_ANNOTATIONS = [ONE_WAY_ANNOTATION, HOST_UID_ANNOTATION];

/** Our claims in one member, all its volumes (trimmed) and its classes. */
export class MemberStorage {
  readonly claims: Informer<Claim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly classes: Informer<StorageClass>;
  readonly #ownership: Ownership;

  constructor(member: Pick<Member, 'client' | 'config' | 'ownership'>, createInformer: InformerFactory) {
    const { client, ownership } = member;
    this.#ownership = ownership;
    const shared = { client, cluster: member.config.name };
    this.claims = createInformer({
      ...shared,
      type: claims,
      labelSelector: ownedSelector(ownership),
      transform: (claim) => keepOwnedKeys(claim),
    });
    this.volumes = createInformer({
      ...shared,
      type: volumes,
      transform: trimVolume,
      indexers: { [BY_COPY]: (volume) => (isOwned(volume, ownership) ? [claimKeyOf(volume)] : []) },
    });
    this.classes = createInformer({ ...shared, type: storageClasses, transform: trimClass });
  }

  get synced(): boolean {
    return this.#all.every(({ hasSynced }) => hasSynced);
  }

  /** Whether the caches are complete and kept up to date. */
  get isCurrent(): boolean {
    return this.synced && this.claims.connected && this.volumes.connected;
  }

  get problem(): string | undefined {
    return informerProblem(this.#all);
  }

  /** The one-way copy of the volume of this claim. */
  copyForClaim(key: ObjectKey): PersistentVolume | undefined {
    return this.volumes.store.byIndex(BY_COPY, key)[0];
  }

  /** Keys of the claims that one-way copies of volumes are for. */
  copiedClaims(): readonly ObjectKey[] {
    return this.volumes.store
      .list()
      .filter((volume) => isOwned(volume, this.#ownership))
      .map(claimKeyOf);
  }

  reconnect(): void {
    for (const informer of this.#all) informer.reconnect();
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#all.map((informer) => informer.run(signal)));
  }

  get #all(): readonly (InformerHealth & Pick<Informer<Claim>, 'reconnect' | 'run'>)[] {
    return [this.claims, this.volumes, this.classes];
  }
}

/** Of volumes, most of which are somebody else's, only what is asked for. */
export function trimVolume(volume: PersistentVolume): PersistentVolume {
  const { name, uid, resourceVersion, deletionTimestamp, labels, annotations } = volume.metadata ?? {};
  const { accessModes, capacity, claimRef, persistentVolumeReclaimPolicy, storageClassName } = volume.spec ?? {};
  const kept = Object.entries(annotations ?? {}).filter(([key]) => KEPT_ANNOTATIONS.includes(key));
  return {
    metadata: { name, uid, resourceVersion, deletionTimestamp, labels, annotations: Object.fromEntries(kept) },
    spec: { accessModes, capacity, claimRef, persistentVolumeReclaimPolicy, storageClassName },
    status: { phase: volume.status?.phase, message: volume.status?.message },
  };
}

function trimClass({ metadata, provisioner, volumeBindingMode }: StorageClass): StorageClass {
  const { name, uid, resourceVersion } = metadata ?? {};
  return { metadata: { name, uid, resourceVersion }, provisioner, volumeBindingMode };
}

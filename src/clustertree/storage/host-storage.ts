import type { Claim, CsiDriver, KubeObject, PersistentVolume, StorageClass } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Informer } from '../../kube/informer.js';
import { claims, csiDrivers, storageClasses, volumes, type ObjectKey } from '../../kube/resource.js';
import { hostUidOf } from '../cluster/ownership.js';
import { claimKeyOf, memberVolumeName } from './host-volume.js';

const BY_CLAIM_UID = 'claimUid';
const BY_CLAIM = 'claim';
const BY_MEMBER_VOLUME = 'memberVolume';

/** Claims, volumes and classes of the host: one cache for all members. */
export class HostStorage {
  readonly claims: Informer<Claim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly classes: Informer<StorageClass>;
  readonly #drivers: Informer<CsiDriver, KubeObject>;

  constructor(client: KubeClient, createInformer: InformerFactory) {
    this.claims = createInformer({ client, type: claims });
    this.volumes = createInformer({
      client,
      type: volumes,
      indexers: {
        [BY_CLAIM_UID]: ({ spec }) => present(spec?.claimRef?.uid),
        [BY_CLAIM]: (volume) => [claimKeyOf(volume)],
        [BY_MEMBER_VOLUME]: (volume) => present(memberVolumeName(volume)),
      },
    });
    this.classes = createInformer({ client, type: storageClasses });
    this.#drivers = createInformer<CsiDriver, KubeObject>({
      client,
      type: csiDrivers,
      transform: ({ metadata }) => ({ metadata: { name: metadata?.name } }),
    });
  }

  /** To be run and waited for. */
  get caches(): readonly Pick<Informer<Claim>, 'hasSynced' | 'reconnect' | 'run' | 'synced'>[] {
    return [this.claims, this.volumes, this.classes, this.#drivers];
  }

  /** Whether the caches are complete, and those of claims and volumes kept up to date. */
  get isCurrent(): boolean {
    const isKept = this.claims.connected && this.volumes.connected;
    return isKept && this.caches.every(({ hasSynced }) => hasSynced);
  }

  /** Whether the host has a CSI driver of that name. */
  hasDriver(name: string): boolean {
    return this.#drivers.store.get(name) !== undefined;
  }

  /** The volume that the host claim had for which a claim of a member was made. */
  lastVolumeOf(memberClaim: Claim): PersistentVolume | undefined {
    const uid = hostUidOf(memberClaim);
    return uid === undefined ? undefined : this.volumes.store.byIndex(BY_CLAIM_UID, uid)[0];
  }

  /** Volumes that name a claim of this key. */
  volumesNaming(claim: ObjectKey): readonly PersistentVolume[] {
    return this.volumes.store.byIndex(BY_CLAIM, claim);
  }

  /** Volumes that may stand for a volume of this name in some member. */
  volumesStandingFor(memberVolume: string): readonly PersistentVolume[] {
    return this.volumes.store.byIndex(BY_MEMBER_VOLUME, memberVolume);
  }
}

function present(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

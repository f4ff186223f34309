import type { Claim, PersistentVolume } from '../../apis/core.js';
import { objectKey, keyOf, splitKey, type ObjectKey } from '../../kube/resource.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { Member } from '../cluster/member.js';
import type { PodIndex } from '../cluster/pod-index.js';
import type { ClaimState } from './claim-state.js';
import type { HostStorage } from './host-storage.js';
import { hostVolumeName, memberVolumeName, ownersOf, siteOf } from './host-volume.js';
import type { MemberStorage } from './member-storage.js';
import { memberClassName, serviceOf } from './served-class.js';

export interface ClaimReaderOptions {
  readonly host: HostStorage;
  readonly hostPods: Pick<HostPods, 'isCurrent'>;
  readonly member: Member;
  readonly memberStorage: MemberStorage;
  /** Which host pods of the Cluster use which claims. */
  readonly users: Pick<PodIndex, 'podsOf'>;
}

/** What was read from an API server in this very reconcile, in place of what a cache says; null is absent. */
export interface LiveClaim {
  readonly hostClaim?: Claim | null | undefined;
  readonly memberClaim?: Claim | null | undefined;
  readonly memberVolume?: PersistentVolume | null | undefined;
}

/** Puts together what the caches of both sides know of a claim. */
export class ClaimReader {
  readonly #options: ClaimReaderOptions;

  constructor(options: ClaimReaderOptions) {
    this.#options = options;
  }

  /** Whether the caches of each side can be acted on. */
  get isCurrent(): { readonly host: boolean; readonly member: boolean } {
    const { host, hostPods, member, memberStorage } = this.#options;
    return {
      host: host.isCurrent && hostPods.isCurrent(member.config.name),
      member: memberStorage.isCurrent && member.probe.reachable && member.namespaces.hasSynced,
    };
  }

  read(key: ObjectKey, live: LiveClaim = {}): ClaimState {
    const { host, member, memberStorage, users } = this.#options;
    const current = this.isCurrent;
    const hostClaim = known(live.hostClaim, host.claims.store.get(key));
    const memberClaim = known(live.memberClaim, memberStorage.claims.store.get(key));
    const hostVolume = volumeOf(host, hostClaim);
    const { storageClassMap } = member.config;
    const className = hostClaim?.spec?.storageClassName ?? '';
    const hostClass = host.classes.store.get(className);
    const memberName = memberClassName(className, storageClassMap);
    return {
      ownership: member.ownership,
      hostClaim,
      hostVolume,
      hostClass,
      madeVolume: hostClaim && host.volumes.store.get(hostVolumeName(hostClaim)),
      lastVolume: memberClaim && host.lastVolumeOf(memberClaim),
      heldVolume: this.#heldVolume(key),
      memberClaim,
      memberVolume: known(live.memberVolume, this.#memberVolume(key, memberClaim, hostVolume)),
      service: serviceOf(hostClass, storageClassMap, (driver) => host.hasDriver(driver)),
      memberClassName: memberName,
      memberClass: memberStorage.classes.store.get(memberName),
      sourceVolume: volumeOf(host, this.#sourceOf(hostClaim)),
      hostSynced: current.host,
      memberSynced: current.member,
      hostLive: live.hostClaim !== undefined,
      memberLive: live.memberVolume !== undefined,
      isOurNode: (node) => member.config.virtualNodes.some(({ nodeName }) => nodeName === node),
      leaving: member.leaving,
      used: users.podsOf(key).size > 0,
    };
  }

  #memberVolume(
    key: ObjectKey,
    memberClaim: Claim | undefined,
    hostVolume: PersistentVolume | undefined,
  ): PersistentVolume | undefined {
    const { memberStorage } = this.#options;
    const { store } = memberStorage.volumes;
    const name = memberClaim?.spec?.volumeName ?? memberVolumeName(hostVolume);
    if (name !== undefined) return store.get(name);
    // A one-way copy has the name of the volume; when that is not known any more, it still names its claim.
    return store.get(hostVolume?.metadata?.name ?? '') ?? memberStorage.copyForClaim(key);
  }

  #heldVolume(key: ObjectKey): PersistentVolume | undefined {
    const { host, member } = this.#options;
    const isHeld = (volume: PersistentVolume): boolean => ownersOf(volume).includes(member.config.name);
    const isOthers = (volume: PersistentVolume): boolean => siteOf(volume, undefined).kind !== 'member';
    return host.volumesNaming(key).find((volume) => isHeld(volume) && isOthers(volume));
  }

  /** The claim that a new one is to be a clone of. */
  #sourceOf(hostClaim: Claim | undefined): Claim | undefined {
    const source = hostClaim?.spec?.dataSourceRef ?? hostClaim?.spec?.dataSource;
    if (hostClaim === undefined || source?.kind !== 'PersistentVolumeClaim') return undefined;
    const { namespace } = splitKey(objectKey(hostClaim));
    return this.#options.host.claims.store.get(keyOf({ namespace, name: source.name }));
  }
}

function volumeOf(host: HostStorage, hostClaim: Claim | undefined): PersistentVolume | undefined {
  return host.volumes.store.get(hostClaim?.spec?.volumeName ?? '');
}

function known<T>(live: T | null | undefined, cached: T | undefined): T | undefined {
  return live === undefined ? cached : (live ?? undefined);
}

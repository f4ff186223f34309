import type { Claim, PersistentVolume } from '../../apis/core.js';
import { SELECTED_NODE_ANNOTATION } from '../../apis/names.js';
import { objectKey, type ObjectKey } from '../../kube/resource.js';
import type { Member } from '../cluster/member.js';
import type { PodIndex } from '../cluster/pod-index.js';
import type { HostStorage } from './host-storage.js';
import { claimKeyOf, ownersOf, siteOf } from './host-volume.js';
import type { MemberStorage } from './member-storage.js';

export interface ConcernsOptions {
  readonly host: HostStorage;
  readonly member: Pick<Member, 'config'>;
  readonly memberStorage: MemberStorage;
  readonly users: Pick<PodIndex, 'podsOf'>;
}

/**
 * Which objects concern one member: of the host's claims and volumes most are another member's or the host's own, of the
 * member's volumes most are somebody else's.
 */
export class Concerns {
  readonly #options: ConcernsOptions;

  constructor(options: ConcernsOptions) {
    this.#options = options;
  }

  /** Whether a claim of the host may have, or get, something in the member. */
  hasClaim(hostClaim: Claim): boolean {
    const { host, member, memberStorage, users } = this.#options;
    const key = objectKey(hostClaim);
    if (memberStorage.claims.store.get(key) !== undefined || users.podsOf(key).size > 0) return true;
    const node = hostClaim.metadata?.annotations?.[SELECTED_NODE_ANNOTATION];
    if (member.config.virtualNodes.some(({ nodeName }) => nodeName === node)) return true;
    const volume = host.volumes.store.get(hostClaim.spec?.volumeName ?? '');
    return volume !== undefined && this.hasVolume(volume);
  }

  /** Whether a volume of the host stands for one of the member, or is used there. */
  hasVolume(hostVolume: PersistentVolume): boolean {
    const { member, users } = this.#options;
    const { name } = member.config;
    const site = siteOf(hostVolume, undefined);
    if (site.kind === 'member') return site.cluster === name;
    return ownersOf(hostVolume).includes(name) || users.podsOf(claimKeyOf(hostVolume)).size > 0;
  }

  /** Key of the claim that a volume of the member is for, when that concerns the member. */
  claimOf(memberVolume: PersistentVolume): ObjectKey | undefined {
    const { host, memberStorage } = this.#options;
    const key = claimKeyOf(memberVolume);
    if (memberStorage.claims.store.get(key) !== undefined) return key;
    const hostClaim = host.claims.store.get(key);
    if (hostClaim !== undefined && this.hasClaim(hostClaim)) return key;
    return host.volumesNaming(key).some((volume) => this.hasVolume(volume)) ? key : undefined;
  }

  /** Names of the host's volumes that may stand for a volume of the member. */
  volumesFor(memberVolume: PersistentVolume): readonly string[] {
    const { host, memberStorage } = this.#options;
    const claim = memberStorage.claims.store.get(claimKeyOf(memberVolume));
    const standing = host.volumesStandingFor(memberVolume.metadata?.name ?? '').map(objectKey);
    return [...new Set([...standing, ...(claim === undefined ? [] : this.volumesOf(claim))])];
  }

  /** Names of the host's volumes of the host claim that a claim of the member was made for. */
  volumesOf(memberClaim: Claim): readonly string[] {
    const volume = this.#options.host.lastVolumeOf(memberClaim);
    return volume === undefined ? [] : [objectKey(volume)];
  }

  /** Keys of all claims that concern the member now. */
  claims(): ReadonlySet<ObjectKey> {
    const { host, memberStorage } = this.#options;
    const held = host.volumes.store.list().filter((volume) => this.hasVolume(volume));
    return new Set([
      ...host.claims.store
        .list()
        .filter((claim) => this.hasClaim(claim))
        .map(objectKey),
      ...held.map(claimKeyOf).filter((key) => key !== ''),
      ...memberStorage.claims.store.keys(),
      ...memberStorage.copiedClaims(),
    ]);
  }

  /** Names of all volumes of the host that concern the member now. */
  volumes(): readonly string[] {
    return this.#options.host.volumes.store
      .list()
      .filter((volume) => this.hasVolume(volume))
      .map(objectKey);
  }
}

import type { Claim, PersistentVolume, Pod } from '../../src/apis/core.js';
import type { Member } from '../../src/clustertree/cluster/member.js';
import { PodIndex } from '../../src/clustertree/cluster/pod-index.js';
import { podReferences } from '../../src/clustertree/cluster/pod-references.js';
import { ClaimReconciler } from '../../src/clustertree/storage/claim-reconciler.js';
import { HostStorage } from '../../src/clustertree/storage/host-storage.js';
import { MemberStorage } from '../../src/clustertree/storage/member-storage.js';
import { claims, storageClasses, volumes } from '../../src/kube/resource.js';
import type { EventSink } from '../../src/runtime/event-sink.js';
import { PodHarness, WEB } from './pod-harness.js';
import { DATA, HOST_VOLUME, MEMBER_VOLUME, storageClass } from './storage-objects.js';

const NOTHING_LIVE = { volumeBindingMode: 'WaitForFirstConsumer' } as const;

/** A host and a member with a StorageClass each, their caches, and what looks after claims between them. */
export class StorageHarness extends PodHarness {
  readonly hostStorage: HostStorage;
  /** `Kind name Reason` of each Event, and its message. */
  readonly warned: { readonly about: string; readonly message: string }[] = [];
  readonly waiting: string[] = [];
  storage!: MemberStorage;
  reconciler!: ClaimReconciler;
  users!: PodIndex;

  constructor() {
    super();
    this.host.seed(storageClasses, storageClass());
    this.client.seed(storageClasses, storageClass('fast', { provisioner: 'disks', ...NOTHING_LIVE }));
    this.hostStorage = new HostStorage(this.host, this.createInformer);
    for (const cache of this.hostStorage.caches) this.track(cache.run(this.signal));
  }

  /** Starts the member's caches, for the objects that are there by then. */
  async start(more: Partial<Member> = {}): Promise<Member> {
    const member = this.member(more);
    this.storage = new MemberStorage(member, this.createInformer);
    this.track(this.storage.run(this.signal));
    this.users = new PodIndex({
      ...{ clusterName: member.config.name, hostPods: this.hostPods, onChange: () => undefined },
      keysOf: (pod) => podReferences(pod).claims.map(({ claimName }) => `shop/${claimName}`),
    });
    this.users.start();
    this.reconciler = new ClaimReconciler({
      ...{ client: this.host, host: this.hostStorage, hostPods: this.hostPods, member, users: this.users },
      ...{ memberStorage: this.storage, hostNamespaces: this.hostNamespaces.store },
      events: this.sink('Claim'),
      onWaiting: (key) => this.waiting.push(key),
    });
    await this.settle(3);
    return member;
  }

  sink<T extends Claim | PersistentVolume | Pod>(kind: string): EventSink<T> {
    return {
      warn: ({ metadata }, reason, message) =>
        void this.warned.push({ about: `${kind} ${metadata?.name ?? ''} ${reason}`, message }),
    };
  }

  /** A host pod that mounts the claim. */
  addUser(more: Partial<Pod> = {}): Pod {
    const list = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
    const containers = [{ name: 'app', image: 'app:1' }];
    return this.addHostPod({ spec: { nodeName: 'kosmos-member1', containers, volumes: list }, ...more });
  }

  hostClaim(): Claim | undefined {
    return this.host.peek(claims, DATA);
  }

  memberClaim(): Claim | undefined {
    return this.client.peek(claims, DATA);
  }

  hostVolume(): PersistentVolume | undefined {
    return this.host.peek(volumes, { name: HOST_VOLUME });
  }

  memberVolume(name = MEMBER_VOLUME): PersistentVolume | undefined {
    return this.client.peek(volumes, { name });
  }

  /** Writes to both sides so far, those of the host first. */
  get written(): readonly string[] {
    return [
      ...this.writes('host').map((text) => `host ${text}`),
      ...this.writes('member').map((text) => `member ${text}`),
    ];
  }

  /** The pod of {@link addUser}. */
  get userKey(): string {
    return `${WEB.namespace}/${WEB.name}`;
  }
}

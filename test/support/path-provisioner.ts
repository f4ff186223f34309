import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Claim, PersistentVolume, StorageClass } from '../../src/apis/core.js';
import { HOSTNAME_LABEL, PROVISIONED_BY_ANNOTATION, SELECTED_NODE_ANNOTATION } from '../../src/apis/names.js';
import { claimSizeOf, requestOf } from '../../src/clustertree/storage/fields.js';
import { isConflict, isNotFound } from '../../src/kube/api-error.js';
import type { KubeClient } from '../../src/kube/client.js';
import { claims, events, nodes, objectKey, storageClasses, volumes } from '../../src/kube/resource.js';
import { compareQuantity, parseQuantity } from '../../src/lib/quantity.js';

/** Name of the provisioner in StorageClasses of a member. */
export const PATH_PROVISIONER = 'test.kosmos.io/path';
/** On a claim: the provisioner fails with this text. */
export const FAIL_ANNOTATION = 'test.kosmos.io/fail';

const INTERVAL_MS = 150;
const MERGE = { type: 'merge' } as const;

/** A StorageClass of a member whose volumes are folders. */
export function pathClass(name: string, more: Partial<StorageClass> = {}): StorageClass {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: PATH_PROVISIONER,
    volumeBindingMode: 'WaitForFirstConsumer',
    allowVolumeExpansion: true,
    ...more,
  };
}

/**
 * What a local-path provisioner is to a cluster: makes a folder and a volume for each claim of its classes, grows them,
 * and removes both. It looks at the API server again and again, as its reaction time matters to nobody.
 */
export class PathProvisioner {
  readonly #client: KubeClient;
  readonly #folder: string;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(client: KubeClient, folder: string) {
    this.#client = client;
    this.#folder = folder;
  }

  start(): void {
    mkdirSync(this.#folder, { recursive: true });
    this.#running = this.#run();
  }

  /** Throws what went wrong while it ran. The folders go with it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#look();
      await sleep(INTERVAL_MS);
    }
  }

  async #look(): Promise<void> {
    const classes = new Map<string, StorageClass>();
    for (const item of (await this.#client.list(storageClasses)).items) {
      if (item.provisioner === PATH_PROVISIONER) classes.set(item.metadata!.name!, item);
    }
    const found = (await this.#client.list(volumes)).items.filter(
      ({ metadata }) => metadata?.annotations?.[PROVISIONED_BY_ANNOTATION] === PATH_PROVISIONER,
    );
    for (const claim of (await this.#client.list(claims)).items) {
      const storageClass = classes.get(claim.spec?.storageClassName ?? '');
      if (storageClass !== undefined) await this.#serve(claim, storageClass, found);
    }
    for (const volume of found) await this.#reclaim(volume);
  }

  async #serve(claim: Claim, storageClass: StorageClass, found: readonly PersistentVolume[]): Promise<void> {
    const volume = found.find(({ spec }) => spec?.claimRef?.uid === claim.metadata?.uid);
    if (claim.metadata?.deletionTimestamp) return;
    if (volume !== undefined) await this.#grow(claim, volume);
    else if (!claim.spec?.volumeName) await this.#provision(claim, storageClass);
  }

  async #provision(claim: Claim, storageClass: StorageClass): Promise<void> {
    const { annotations = {}, namespace, name, uid } = claim.metadata ?? {};
    const waits = storageClass.volumeBindingMode === 'WaitForFirstConsumer';
    const node = waits
      ? annotations[SELECTED_NODE_ANNOTATION]
      : (await this.#client.list(nodes)).items[0]?.metadata?.name;
    if (node === undefined) return;
    const failure = annotations[FAIL_ANNOTATION];
    if (failure !== undefined) {
      await this.#complain(claim, failure);
      return;
    }
    const path = join(this.#folder, `pv-${uid!}`);
    mkdirSync(path, { recursive: true, mode: 0o777 });
    const expression = { key: HOSTNAME_LABEL, operator: 'In', values: [node] };
    await this.#client.create(volumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `pv-${uid!}`, annotations: { [PROVISIONED_BY_ANNOTATION]: PATH_PROVISIONER } },
      spec: {
        accessModes: claim.spec?.accessModes,
        capacity: { storage: claim.spec!.resources!.requests!['storage']! },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
        hostPath: { path, type: 'Directory' },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy,
        storageClassName: storageClass.metadata!.name!,
        volumeMode: claim.spec?.volumeMode,
      },
    });
  }

  async #complain(claim: Claim, message: string): Promise<void> {
    const { namespace = '', name = '', uid = '' } = claim.metadata ?? {};
    const about = { namespace, name: `${name}.${uid}` };
    const present = await this.#client.list(events, { namespace, fieldSelector: `metadata.name=${about.name}` });
    if (present.items.length > 0) return;
    await this.#client.create(events, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: about,
      involvedObject: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      reason: 'ProvisioningFailed',
      message,
      type: 'Warning',
      source: { component: PATH_PROVISIONER },
    });
  }

  async #grow(claim: Claim, volume: PersistentVolume): Promise<void> {
    const wanted = requestOf(claim);
    const present = claimSizeOf(claim);
    if (wanted === undefined || present === undefined || claim.status?.phase !== 'Bound') return;
    if (compareQuantity(parseQuantity(wanted), parseQuantity(present)) <= 0) return;
    const capacity = { storage: wanted };
    await this.#unlessGone(
      this.#client.patch(volumes, { name: volume.metadata!.name! }, { spec: { capacity } }, MERGE),
    );
    const { namespace, name = '' } = claim.metadata ?? {};
    const patch = { status: { capacity } };
    await this.#unlessGone(this.#client.patch(claims, { namespace, name }, patch, { ...MERGE, subresource: 'status' }));
  }

  async #reclaim(volume: PersistentVolume): Promise<void> {
    if (volume.status?.phase !== 'Released' || volume.spec?.persistentVolumeReclaimPolicy !== 'Delete') return;
    rmSync(volume.spec.hostPath!.path, { recursive: true, force: true });
    const { name = '', uid } = volume.metadata ?? {};
    await this.#unlessGone(this.#client.delete(volumes, { name }, { preconditions: { uid } }));
  }

  async #unlessGone(call: Promise<unknown>): Promise<void> {
    try {
      await call;
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

/** Names of the volumes of a cluster that are for claims of a namespace. */
export async function volumesOf(client: KubeClient, namespace: string): Promise<readonly string[]> {
  const { items } = await client.list(volumes);
  return items.filter(({ spec }) => spec?.claimRef?.namespace === namespace).map(objectKey);
}

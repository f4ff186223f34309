import type { Claim, Pod } from '../../apis/core.js';
import { keyOf, objectKey, type ObjectKey } from '../../kube/resource.js';
import type { Store } from '../../kube/store.js';
import type { PodNeeds, PodRequirements, UnmetNeed } from '../cluster/pod-needs.js';
import type { ClaimReference } from '../cluster/pod-references.js';
import { complaint } from '../cluster/unmet-needs.js';
import type { ClaimReconciler } from './claim-reconciler.js';

export interface ClaimNeedsOptions {
  /** Claims of the host. */
  readonly hostClaims: Store<Claim>;
  readonly claims: Pick<ClaimReconciler, 'ensure'>;
}

/** Has the claims of pods made in one member before the pods. */
export class ClaimNeeds implements PodNeeds {
  readonly #options: ClaimNeedsOptions;
  readonly #listeners = new Set<(pod: ObjectKey) => void>();
  /** Pods that wait, by the claim that they wait for. What is lost here is found out again when the pod is tried again. */
  readonly #waiting = new Map<ObjectKey, Set<ObjectKey>>();

  constructor(options: ClaimNeedsOptions) {
    this.#options = options;
  }

  async ensure(hostPod: Pod, requirements: PodRequirements, signal: AbortSignal): Promise<readonly UnmetNeed[]> {
    const found = await Promise.all(
      requirements.claims.map(async (reference) => {
        const key = keyOf({ namespace: requirements.namespace, name: reference.claimName });
        const unmet = await this.#ensureOne(hostPod, reference, key, signal);
        if (unmet !== undefined) this.#await(key, objectKey(hostPod));
        return unmet;
      }),
    );
    return found.filter((unmet) => unmet !== undefined);
  }

  onMet(listener: (pod: ObjectKey) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something about the claim has changed: pods that wait for it may go on. */
  changed(key: ObjectKey): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    for (const pod of waiting) for (const listener of this.#listeners) listener(pod);
  }

  async #ensureOne(
    hostPod: Pod,
    reference: ClaimReference,
    key: ObjectKey,
    signal: AbortSignal,
  ): Promise<UnmetNeed | undefined> {
    const use = { volume: reference.volume };
    const hostClaim = this.#options.hostClaims.get(key);
    if (hostClaim === undefined) return complaint(use, `persistentvolumeclaim "${reference.claimName}" not found`);
    if (reference.ephemeral && !isMadeFor(hostClaim, hostPod)) {
      return complaint(use, `PVC "${key}" was not created for pod "${objectKey(hostPod)}" (pod is not owner)`);
    }
    if (hostClaim.metadata?.deletionTimestamp) {
      return complaint(use, `persistentvolumeclaim "${reference.claimName}" is being deleted`);
    }
    const outcome = await this.#options.claims.ensure(key, signal);
    if (outcome.kind === 'ready') return undefined;
    const { reason, message } = outcome;
    return reason === 'FailedMount' ? complaint(use, message) : { reason, message };
  }

  #await(key: ObjectKey, pod: ObjectKey): void {
    this.#waiting.set(key, (this.#waiting.get(key) ?? new Set()).add(pod));
  }
}

/** Whether the claim of a generic ephemeral volume is the pod's own, as kubelet asks. */
function isMadeFor(hostClaim: Claim, hostPod: Pod): boolean {
  const owners = hostClaim.metadata?.ownerReferences ?? [];
  return owners.some(({ controller, uid }) => controller === true && uid === hostPod.metadata?.uid);
}

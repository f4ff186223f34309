import type { Claim, StorageClass } from '../../apis/core.js';
import { MEMBER_PROVISIONER } from '../../apis/names.js';
import { objectKey, type ObjectKey } from '../../kube/resource.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { EventSink } from '../../runtime/event-sink.js';
import { isDeleting, nameOf } from './fields.js';
import type { HostStorage } from './host-storage.js';
import { isImmediate } from './served-class.js';

export interface ImmediateClaimsOptions {
  readonly host: Pick<HostStorage, 'claims' | 'classes'>;
  readonly events: EventSink<Claim>;
}

/** API servers forget Events after an hour. */
const REPEAT_MS = 20 * 60_000;

/**
 * Why a claim will never be bound: its class is that of members, but waits for no pod, so that nobody ever says which
 * member it is to be. Undefined for all others.
 */
export function immediateProblem(hostClaim: Claim, hostClass: StorageClass | undefined): string | undefined {
  if (hostClaim.spec?.volumeName || isDeleting(hostClaim)) return undefined;
  if (hostClass?.provisioner !== MEMBER_PROVISIONER || !isImmediate(hostClass)) return undefined;
  return (
    `StorageClass ${nameOf(hostClass)} has volumeBindingMode Immediate, but only the node of a pod says which member ` +
    'cluster is to make the volume. Make the class again with volumeBindingMode WaitForFirstConsumer, then the claim.'
  );
}

/** Tells users of such claims, whichever members there are. */
export class ImmediateClaims implements Reconciler {
  readonly #options: ImmediateClaimsOptions;

  constructor(options: ImmediateClaimsOptions) {
    this.#options = options;
  }

  reconcile(key: ObjectKey): Promise<Result> {
    const { host, events } = this.#options;
    const hostClaim = host.claims.store.get(key);
    if (hostClaim === undefined) return Promise.resolve({});
    const problem = immediateProblem(hostClaim, host.classes.store.get(hostClaim.spec?.storageClassName ?? ''));
    if (problem === undefined) return Promise.resolve({});
    events.warn(hostClaim, 'ProvisioningFailed', problem);
    return Promise.resolve({ requeueAfterMs: REPEAT_MS });
  }

  /** Looks at every claim when it comes, and at all of them when a class does; until aborted. */
  async lead(createController: ControllerFactory, signal: AbortSignal): Promise<void> {
    const { claims, classes } = this.#options.host;
    const controller = createController({ name: 'immediate-claim', reconciler: this });
    const enqueue = (claim: Claim): void => controller.enqueue(objectKey(claim), { priority: 'low' });
    const stops = [
      claims.addHandler({
        onAdd: enqueue,
        onUpdate: (old, claim) => {
          if (old.spec?.storageClassName !== claim.spec?.storageClassName) enqueue(claim);
        },
      }),
      classes.addHandler({
        onAdd: () => {
          for (const claim of claims.store.list()) enqueue(claim);
        },
      }),
    ];
    try {
      await controller.run(signal);
    } finally {
      for (const stop of stops) stop();
    }
  }
}

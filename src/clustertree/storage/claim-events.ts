import type { Claim, Event, Pod } from '../../apis/core.js';
import { keyOf, type ObjectKey } from '../../kube/resource.js';
import type { Store } from '../../kube/store.js';
import type { EventSink } from '../../runtime/event-sink.js';
import { hostUidOf } from '../cluster/ownership.js';
import { nameOf, uidOf } from './fields.js';

export interface ClaimEventsOptions {
  readonly clusterName: string;
  /** Our claims in the member. */
  readonly memberClaims: Store<Claim>;
  readonly hostClaims: Store<Claim>;
  /** Host pods on the Cluster's virtual nodes that use a claim. */
  readonly podsOf: (claim: ObjectKey) => readonly Pod[];
  readonly claimSink: EventSink<Claim>;
  readonly podSink: EventSink<Pod>;
}

/** Shows the member's warnings about a claim on the host claim, and on the pods that wait for it. */
export class ClaimEvents {
  readonly #options: ClaimEventsOptions;

  constructor(options: ClaimEventsOptions) {
    this.#options = options;
  }

  /** Takes an Event of the member; those that are no warning, or about somebody else's claim, are passed over. */
  offer({ type, reason = '', message = '', involvedObject: about }: Event): void {
    if (type !== 'Warning') return;
    const { memberClaims, hostClaims, podsOf, claimSink, podSink, clusterName } = this.#options;
    const key = keyOf({ namespace: about.namespace, name: about.name ?? '' });
    const memberClaim = memberClaims.get(key);
    const hostClaim = hostClaims.get(key);
    if (memberClaim === undefined || hostClaim === undefined) return;
    if (memberClaim.metadata?.uid !== about.uid || hostUidOf(memberClaim) !== uidOf(hostClaim)) return;
    const text = `In member cluster ${clusterName}: ${message}`;
    claimSink.warn(hostClaim, reason, text);
    for (const pod of podsOf(key).filter(isPending)) {
      podSink.warn(pod, reason, `Claim ${nameOf(hostClaim)}: ${text}`);
    }
  }
}

function isPending({ status }: Pod): boolean {
  return status?.phase === undefined || status.phase === 'Pending';
}

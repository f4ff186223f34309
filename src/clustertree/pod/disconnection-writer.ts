import type { Namespace, Pod } from '../../apis/core.js';
import { DISCONNECTION_POLICY_ANNOTATION, FIELD_MANAGER } from '../../apis/names.js';
import { ApiError, isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { objectKey, pods, type ObjectKey } from '../../kube/resource.js';
import type { Store } from '../../kube/store.js';
import { errorMessage } from '../../lib/errors.js';
import type { EventSink } from '../../runtime/event-sink.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { ClusterConfig } from '../cluster/options.js';
import { disconnectionPatch, policyFor, unreadablePolicy } from './disconnection.js';
import { specState } from './update.js';
import { hasRun, isTerminal, type PodState } from './verdict.js';

export interface DisconnectionWriterOptions {
  readonly host: Pick<KubeClient, 'patch'>;
  readonly caches: {
    readonly pods: Pick<HostPods, 'assume'>;
    readonly namespaces: Pick<Store<Namespace>, 'get'>;
  };
  readonly member: { readonly leaving: boolean; readonly config: Pick<ClusterConfig, 'disconnectionPolicy'> };
  readonly events: EventSink<Pod>;
}

const UNREADABLE = 'UnreadableDisconnectionPolicy';
const REFUSED = 'DisconnectionPolicyRefused';

/**
 * Writes into host pods how long they stay on their virtual node when its member is lost. That is the host's business
 * alone, so it is done whether or not the member answers: a policy that is set during an outage counts at once.
 */
export class DisconnectionWriter {
  readonly #options: DisconnectionWriterOptions;
  /** Complaints about a pod, by reason, so that each is made once. */
  readonly #complaints = { [UNREADABLE]: new Map<ObjectKey, string>(), [REFUSED]: new Map<ObjectKey, string>() };

  constructor(options: DisconnectionWriterOptions) {
    this.#options = options;
  }

  /** The state with the pod as it is after the write; one call to the host, and none when the pod obeys already. */
  async obey(state: PodState, signal: AbortSignal): Promise<PodState> {
    const { hostPod } = state;
    const { caches, member } = this.#options;
    if (hostPod === undefined || !state.hostSynced || !state.onOurNode || member.leaving) return state;
    if (hostPod.metadata?.deletionTimestamp !== undefined || isTerminal(hostPod)) return state;
    const namespace = caches.namespaces.get(hostPod.metadata?.namespace ?? '');
    const unreadable = unreadablePolicy(hostPod, namespace);
    this.#complain(hostPod, UNREADABLE, unreadable === undefined ? undefined : notReadable(unreadable));
    const policy = policyFor(hostPod, namespace, member.config.disconnectionPolicy);
    const patch = disconnectionPatch(hostPod, policy, isCarried(state, hostPod));
    return patch === undefined ? state : { ...state, hostPod: await this.#write(hostPod, patch, signal) };
  }

  /** To be called when the pod is gone. */
  forget(key: ObjectKey): void {
    for (const complaints of Object.values(this.#complaints)) complaints.delete(key);
  }

  /** A host that turns the change down has its reasons; the pod runs all the same, and an Event says so. */
  async #write(hostPod: Pod, patch: object, signal: AbortSignal): Promise<Pod> {
    const { host, caches } = this.#options;
    const ref = { namespace: hostPod.metadata?.namespace, name: hostPod.metadata?.name ?? '' };
    try {
      const written = await host.patch(pods, ref, patch, { type: 'strategic', fieldManager: FIELD_MANAGER, signal });
      caches.pods.assume(written);
      this.#complain(hostPod, REFUSED, undefined);
      return written;
    } catch (error) {
      if (isNotFound(error)) return hostPod;
      if (!isRefusal(error)) throw error;
      this.#complain(hostPod, REFUSED, errorMessage(error));
      return hostPod;
    }
  }

  #complain(hostPod: Pod, reason: typeof UNREADABLE | typeof REFUSED, message: string | undefined): void {
    const key = objectKey(hostPod);
    const complaints = this.#complaints[reason];
    const complaint = message === undefined ? undefined : `${hostPod.metadata?.uid ?? ''} ${message}`;
    if (complaints.get(key) === complaint) return;
    if (message === undefined || complaint === undefined) {
      complaints.delete(key);
      return;
    }
    complaints.set(key, complaint);
    this.#options.events.warn(hostPod, reason, message);
  }
}

/** The host says no, and will say so again; a conflict means that the pod is another one by now. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.statusCode < 500 && error.statusCode !== 429 && !isConflict(error);
}

function isCarried(state: PodState, hostPod: Pod): boolean {
  const hasNoCopy = state.memberSynced && state.memberPod === undefined && !hasRun(hostPod);
  return hasNoCopy || specState(hostPod) === 'applied';
}

function notReadable(text: string): string {
  return (
    `Annotation ${DISCONNECTION_POLICY_ANNOTATION} of the pod or its namespace says "${text}", which is none of Evict, ` +
    'EvictAfter=<duration>, Keep; it is ignored.'
  );
}

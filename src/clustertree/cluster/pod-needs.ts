import type { Pod } from '../../apis/core.js';
import type { ObjectKey } from '../../kube/resource.js';
import type { PodReferences } from './pod-references.js';

/** What must exist in the member before a pod does. */
export interface PodRequirements extends PodReferences {
  readonly namespace: string;
}

/** Why a pod can't be made yet: the Event that a kubelet would write. */
export interface UnmetNeed {
  /** For instance `FailedMount`. */
  readonly reason: string;
  readonly message: string;
}

/**
 * Provides one sort of things that pods of one member need. Only the leader asks. Whoever implements it shares what
 * several pods need: for the 2nd to Nth pod there is no call.
 */
export interface PodNeeds {
  /**
   * Makes what the pod needs exist in the member; nothing remains to be done when nothing is returned. What is returned
   * needs somebody to act: the pod waits, and is asked for again after {@link onMet} has named it, at the latest after a
   * minute. Throws what is worth another try with back-off.
   */
  ensure(hostPod: Pod, requirements: PodRequirements, signal: AbortSignal): Promise<readonly UnmetNeed[]>;
  /** Hears the key of each host pod whose unmet needs may be met now. The returned function removes the listener. */
  onMet(listener: (pod: ObjectKey) => void): () => void;
}

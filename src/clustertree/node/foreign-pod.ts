import type { Pod } from '../../apis/core.js';
import type { Resources } from '../../lib/resource-list.js';
import { formatResources } from '../../lib/resource-list.js';
import { podRequests } from './pod-requests.js';

/**
 * What the manager keeps of a pod in a member that isn't ours: where it runs and what it takes there. Both values are
 * shared with all pods that have the same, so that a pod costs two words beside its key.
 */
export interface ForeignPod {
  readonly nodeName: string;
  readonly requests: Resources;
}

/** How many different values a trimmer shares before it starts again; a cluster has far fewer request profiles. */
const MAX_SHARED_VALUES = 10_000;

/**
 * Makes the function that reduces foreign pods while a watch is decoded. It gives undefined for a pod that takes
 * nothing of any node: not bound to one yet, or finished. Each call of `createForeignPodTrimmer` shares its own values.
 */
export function createForeignPodTrimmer(): (pod: Pod) => ForeignPod | undefined {
  const nodeNames = new Map<string, string>();
  const profiles = new Map<string, Resources>();
  return (pod) => {
    const nodeName = pod.spec?.nodeName ?? '';
    const phase = pod.status?.phase;
    if (nodeName === '' || phase === 'Succeeded' || phase === 'Failed') return undefined;
    const requests = podRequests(pod);
    return {
      nodeName: shared(nodeNames, nodeName, nodeName),
      requests: shared(profiles, JSON.stringify(formatResources(requests)), requests),
    };
  };
}

function shared<T>(known: Map<string, T>, key: string, value: T): T {
  const present = known.get(key);
  if (present !== undefined) return present;
  if (known.size >= MAX_SHARED_VALUES) known.clear();
  known.set(key, value);
  return value;
}

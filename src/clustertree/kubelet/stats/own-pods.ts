import type { ContainerStatus, Pod } from '../../../apis/core.js';
import { objectKey, type ObjectKey } from '../../../kube/resource.js';
import { hostUidOf, isOwned, type Ownership } from '../../cluster/ownership.js';

/** A pod of a virtual node that runs in the member, under the names of both sides. */
export interface OwnPod {
  /** The same in host and member. */
  readonly namespace: string;
  readonly name: string;
  readonly hostUid: string;
  readonly memberUid: string;
  /** Node of the member that runs it. */
  readonly memberNode: string;
  /** When each running container started, by the clock of its node; milliseconds since the epoch. */
  readonly startedMs: ReadonlyMap<string, number>;
}

/** The pods of one virtual node, found by what the member knows of them. */
export interface OwnPods {
  readonly pods: readonly OwnPod[];
  /** The pod of that name, if that node of the member runs it. */
  find(memberNode: string, namespace: string, name: string): OwnPod | undefined;
}

/**
 * The host pods of a virtual node whose member pods are known to run. A member pod counts only when it is ours and the
 * copy of this very host pod; another one of the same name is a stranger, whatever the member measures of it.
 */
export function ownPods(
  hostPods: readonly Pod[],
  memberPod: (key: ObjectKey) => Pod | undefined,
  ownership: Ownership,
): OwnPods {
  const byKey = new Map<ObjectKey, OwnPod>();
  for (const hostPod of hostPods) {
    const key = objectKey(hostPod);
    const copy = memberPod(key);
    const memberNode = copy?.spec?.nodeName ?? '';
    const hostUid = hostPod.metadata?.uid ?? '';
    if (copy === undefined || memberNode === '' || !isOwned(copy, ownership) || hostUidOf(copy) !== hostUid) continue;
    const { namespace = '', name = '', uid: memberUid = '' } = copy.metadata ?? {};
    byKey.set(key, { namespace, name, hostUid, memberUid, memberNode, startedMs: startTimes(copy) });
  }
  return {
    pods: [...byKey.values()],
    find: (memberNode, namespace, name) => {
      const pod = byKey.get(`${namespace}/${name}`);
      return pod?.memberNode === memberNode ? pod : undefined;
    },
  };
}

function startTimes(pod: Pod): ReadonlyMap<string, number> {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
  return new Map(all.flatMap(startTime));
}

function startTime({ name, state }: ContainerStatus): readonly [string, number][] {
  const startedMs = Date.parse(state?.running?.startedAt ?? '');
  return Number.isNaN(startedMs) ? [] : [[name, startedMs]];
}

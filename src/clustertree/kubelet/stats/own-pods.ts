import type { ContainerStatus, Pod } from '../../../apis/core.js';
import type { ServedNode } from '../endpoint.js';

/** A pod of a virtual node that runs in the member, under the names of both sides. */
export interface OwnPod {
  /** The same in host and member. */
  readonly namespace: string;
  readonly name: string;
  readonly hostUid: string;
  readonly memberUid: string;
  /** Node of the member that runs it. */
  readonly memberNode: string;
}

/** The pods of one virtual node, found by what the member knows of them. */
export interface OwnPods {
  readonly pods: readonly OwnPod[];
  /** The pod of that name, if that node of the member runs it. */
  find(memberNode: string, namespace: string, name: string): OwnPod | undefined;
  /** The pod whose member pod has that UID. */
  withUid(memberUid: string): OwnPod | undefined;
}

/** The host pods of a virtual node whose member pods run somewhere, in order of their names. */
export function ownPods(node: Pick<ServedNode, 'hostPods' | 'memberPod'>): OwnPods {
  const pods = node.hostPods().flatMap((hostPod) => ownPod(hostPod, node.memberPod(hostPod)));
  const byKey = new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
  const byUid = new Map(pods.map((pod) => [pod.memberUid, pod]));
  return {
    pods: [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? []),
    find: (memberNode, namespace, name) => {
      const pod = byKey.get(`${namespace}/${name}`);
      return pod?.memberNode === memberNode ? pod : undefined;
    },
    withUid: (memberUid) => byUid.get(memberUid),
  };
}

function ownPod(hostPod: Pod, memberPod: Pod | undefined): readonly OwnPod[] {
  const memberNode = memberPod?.spec?.nodeName ?? '';
  if (memberPod === undefined || memberNode === '' || hasEnded(memberPod)) return [];
  const { namespace = '', name = '', uid: hostUid = '' } = hostPod.metadata ?? {};
  return [{ namespace, name, hostUid, memberUid: uidOf(memberPod), memberNode }];
}

function uidOf({ metadata }: Pod): string {
  return metadata?.uid ?? '';
}

function hasEnded(pod: Pod): boolean {
  return ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '');
}

/** When each running container of a pod started, by the clock of its node; milliseconds since the epoch. */
export function startTimes(pod: Pod): ReadonlyMap<string, number> {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  return new Map([...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].flatMap(startTime));
}

function startTime({ name, state }: ContainerStatus): readonly [string, number][] {
  const startedMs = Date.parse(state?.running?.startedAt ?? '');
  return Number.isNaN(startedMs) ? [] : [[name, startedMs]];
}

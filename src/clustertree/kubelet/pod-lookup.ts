import type { Pod } from '../../apis/core.js';
import type { Member } from '../cluster/member.js';
import { EndpointError, type ServedNode } from './endpoint.js';

/** A host pod of a virtual node and its copy in the member. */
export interface FoundPod {
  readonly member: Member;
  readonly hostPod: Pod;
  readonly memberPod: Pod;
}

/** What a request says which container it means. */
export interface PodQuery {
  readonly namespace: string;
  readonly pod: string;
  readonly uid?: string | undefined;
  /** Undefined when the request is for the pod as a whole. */
  readonly container: string | undefined;
}

/**
 * Finds the member pod for a request. It has to be the copy of the host pod of that very UID, and the host pod has to be
 * on this node. @throws EndpointError in kubelet's words.
 */
export function findPod(node: ServedNode, query: PodQuery): FoundPod {
  const { namespace, pod: name, uid, container } = query;
  const hostPod = node.hostPod(namespace, name);
  if (hostPod === undefined || (uid !== undefined && uid !== hostPod.metadata?.uid)) {
    throw new EndpointError(404, `pod "${name}" does not exist`);
  }
  if (container !== undefined && !hasContainer(hostPod, container)) {
    throw new EndpointError(404, `container "${container}" not found in pod "${name}"`);
  }
  const { member } = node;
  if (member === undefined) throw new EndpointError(503, `the member cluster of node "${node.name}" is not connected`);
  const memberPod = node.memberPod(hostPod);
  if (memberPod !== undefined) return { member, hostPod, memberPod };
  const what = container === undefined ? `pod "${name}"` : `container "${container}" in pod "${name}"`;
  throw new EndpointError(400, `${what} is waiting to start: the member cluster has no such pod yet`);
}

function hasContainer({ spec }: Pod, name: string): boolean {
  const containers = [spec?.containers, spec?.initContainers, spec?.ephemeralContainers].flatMap((list) => list ?? []);
  return containers.some((container) => container.name === name);
}

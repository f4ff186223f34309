import type { Node, NodeCondition } from '../../apis/core.js';
import { KUBELET_SERVING_CONDITION } from '../../apis/names.js';

/** Why a virtual node has no serving certificate. */
export interface Waiting {
  readonly reason: string;
  readonly message: string;
}

/**
 * The condition to write on a Node; undefined when there is nothing to write. A node for which all goes well never gets
 * the condition.
 *
 * @param waiting - undefined when the node can serve.
 * @param now - RFC 3339.
 */
export function servingCondition(node: Node, waiting: Waiting | undefined, now: string): NodeCondition | undefined {
  const present = node.status?.conditions?.find(({ type }) => type === KUBELET_SERVING_CONDITION);
  if (waiting === undefined && present === undefined) return undefined;
  const wanted = waiting === undefined ? SERVES : { status: 'False', ...waiting };
  const isSame =
    present?.status === wanted.status && present.reason === wanted.reason && present.message === wanted.message;
  if (isSame) return undefined;
  const lastTransitionTime = present?.status === wanted.status ? present.lastTransitionTime : now;
  const { status, reason, message } = wanted;
  return { type: KUBELET_SERVING_CONDITION, status, reason, message, lastHeartbeatTime: now, lastTransitionTime };
}

const SERVES = {
  status: 'True',
  reason: 'CertificateIssued',
  message: 'the kubelet API has a serving certificate',
} as const;

import type { Toleration } from '../../apis/core.js';

/** The taints by which a node controller evicts the pods of a node that it has lost. */
export const LOST_NODE_TAINTS: ReadonlySet<string> = new Set([
  'node.kubernetes.io/not-ready',
  'node.kubernetes.io/unreachable',
]);
/** What the DefaultTolerationSeconds admission of an API server gives to pods that say nothing of it. */
const DEFAULT_SECONDS = 300;

/** True when the toleration only says for how long the pod may stay on a lost node. */
export function isAboutLostNode({ key, effect }: Toleration): boolean {
  return LOST_NODE_TAINTS.has(key ?? '') && effect === 'NoExecute';
}

/** True for what the host's admission adds by itself; the member's adds its own. */
export function isDefaulted(toleration: Toleration): boolean {
  const { operator, tolerationSeconds } = toleration;
  return isAboutLostNode(toleration) && operator === 'Exists' && tolerationSeconds === DEFAULT_SECONDS;
}

import type { Pod } from '../../apis/core.js';
import { isReady, shown } from '../fields.js';
import { podProblem } from '../rollout.js';
import { NODE_ANNOTATION } from './manifests.js';

/** How far the floater of a node is. */
export interface FloaterState {
  readonly node: string;
  /** Present once it answers. */
  readonly ips: readonly string[] | undefined;
  /** Why it doesn't. */
  readonly problem: string;
  readonly cure: string | undefined;
  /** It won't come any more, however long one waits. */
  readonly final: boolean;
}

/** Of the node with that name. */
export function floaterState(node: string, floaters: readonly Pod[]): FloaterState {
  const pod = floaters.find(({ metadata }) => metadata?.annotations?.[NODE_ANNOTATION] === node);
  if (pod === undefined) return pending(node, 'its floater is gone', 'Run it again.', true);
  const { phase, reason, message, podIPs = [] } = pod.status ?? {};
  if (phase === 'Failed' || phase === 'Succeeded') {
    return pending(node, `its floater has ended: ${shown(message ?? reason, phase)}`, lookAt(pod), true);
  }
  return isReady(pod) ? { ...pending(node, '', undefined), ips: podIPs.map(({ ip }) => ip) } : notReady(node, pod);
}

function notReady(node: string, pod: Pod): FloaterState {
  const found = podProblem(pod);
  if (found === undefined) return pending(node, 'its floater did not start in time', lookAt(pod));
  return pending(node, found.problem, found.cure ?? lookAt(pod), FINAL.test(found.problem));
}

/** Reasons of waiting containers that no waiting helps. */
const FINAL = /: (?:ErrImageNeverPull|InvalidImageName)/;

function pending(node: string, problem: string, cure: string | undefined, final = false): FloaterState {
  return { node, ips: undefined, problem, cure, final };
}

function lookAt({ metadata }: Pod): string {
  return `Look at the node and its kubelet, or wait longer with --pod-wait-time; the pod was ${shown(metadata?.namespace)}/${shown(metadata?.name)}.`;
}

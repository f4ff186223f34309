import type { Event, Node, Pod } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_LABEL, HOST_UID_ANNOTATION, NODE_LABEL } from '../../apis/names.js';
import { conditionOf, isReady, labelOf, nameOf, shown } from '../fields.js';

/** All that is known about a pod on both sides. */
export interface PodFacts {
  readonly pod: Pod;
  /** The node that it is bound to. */
  readonly node: Node | undefined;
  /** The member behind that node. */
  readonly cluster: Cluster | undefined;
  /** Whether any virtual node is there. */
  readonly hasVirtualNodes: boolean;
  /** The pod of that name in the member; null when there is none, undefined when nobody could look. */
  readonly memberPod: Pod | null | undefined;
  /** Why nobody could look. */
  readonly memberProblem?: string | undefined;
  /** About the host pod, oldest first. */
  readonly events: readonly Event[];
}

/** Why the pod is as it is, and what could be done; the most important first. */
export interface Explanation {
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly cures: readonly string[];
}

const RESERVED = ['kube-system', 'kosmos-system'];

/** Says why a pod is where it is. */
export function explainPod(facts: PodFacts): Explanation {
  const { pod, node, cluster } = facts;
  const name = shown(pod.spec?.nodeName);
  if (name === '') return explainUnbound(facts);
  if (node === undefined) {
    return one(`it is bound to ${name}, which does not exist`, [], ['Delete the pod; its controller makes a new one.']);
  }
  if (labelOf(node, NODE_LABEL) !== 'true') {
    return one(`it runs on ${name}, a node of the host itself`, [], [CURE_SPREAD]);
  }
  const member = shown(labelOf(node, CLUSTER_LABEL));
  if (cluster === undefined) return one(`the Cluster ${member} behind ${name} is gone`, [], ['Delete the pod.']);
  const namespace = shown(pod.metadata?.namespace);
  if (RESERVED.includes(namespace)) {
    return one(`pods of ${namespace} never run in members`, [], ['Use another namespace.']);
  }
  return isReady(cluster) ? explainBound(facts, member) : explainMember(cluster);
}

function explainMember(cluster: Cluster): Explanation {
  const member = nameOf(cluster);
  const ready = conditionOf(cluster, 'Ready');
  const reason =
    ready === undefined ? 'no manager has looked at it' : `${shown(ready.reason)}: ${shown(ready.message)}`;
  return one(`its member ${member} is not ready`, [reason], [`Look at: kosmosctl describe cluster ${member}`]);
}

const CURE_SPREAD =
  'To run in members it must tolerate the taint kosmos.io/node, and select nodes with the label kosmos.io/node=true.';

function one(verdict: string, reasons: readonly string[], cures: readonly string[]): Explanation {
  return { verdict, reasons, cures };
}

function explainUnbound({ pod, hasVirtualNodes, events }: PodFacts): Explanation {
  const scheduled = conditionOf(pod, 'PodScheduled');
  const reasons = [shown(scheduled?.message, 'the scheduler has not looked at it yet'), ...warnings(events)];
  const cures: string[] = [];
  if (!hasVirtualNodes) cures.push('No member has joined: kosmosctl join cluster');
  else if (!toleratesVirtualNodes(pod)) cures.push(CURE_SPREAD);
  return one('it waits for a node', unique(reasons), cures);
}

/** Whether the pod may be bound to virtual nodes with their usual taint. */
export function toleratesVirtualNodes({ spec }: Pod): boolean {
  return (spec?.tolerations ?? []).some(
    ({ key, operator, value, effect }) =>
      (key === undefined || key === NODE_LABEL) &&
      (effect === undefined || effect === 'NoSchedule') &&
      (operator === 'Exists' || value === 'true'),
  );
}

function explainBound({ pod, memberPod, memberProblem, events }: PodFacts, member: string): Explanation {
  const said = warnings(events);
  if (memberPod === undefined) return one(`nobody could look into ${member}`, [shown(memberProblem)], []);
  if (memberPod === null) {
    return one(`it is not in ${member} yet`, said, said.length > 0 ? [] : ['Look at the log of the leader.']);
  }
  if (memberPod.metadata?.annotations?.[HOST_UID_ANNOTATION] !== pod.metadata?.uid) {
    const verdict = `${member} has another pod of that name, which is not a copy of this one`;
    return one(verdict, said, ['Rename or delete one of the two.']);
  }
  return explainCopy(pod, memberPod, said, member);
}

function explainCopy(pod: Pod, memberPod: Pod, said: readonly string[], member: string): Explanation {
  const problems = memberPodProblems(memberPod);
  const phase = shown(memberPod.status?.phase, 'Unknown');
  if (problems.length > 0) return one(`it is ${phase} in ${member}`, problems, []);
  if (pod.status?.phase !== phase) return one(`it is ${phase} in ${member}, which the host does not say yet`, said, []);
  return one(`it is ${phase} in ${member}, as it should be`, [], []);
}

/** Why a pod in a member is not ready. */
function memberPodProblems(pod: Pod): readonly string[] {
  const scheduled = conditionOf(pod, 'PodScheduled');
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const waiting = [...initContainerStatuses, ...containerStatuses].flatMap(({ name, state }) =>
    state?.waiting === undefined ? [] : waitingText(name, state.waiting),
  );
  return [...(scheduled?.status === 'False' ? [shown(scheduled.message, 'no node fits')] : []), ...waiting];
}

interface Waiting {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

function waitingText(name: string, { reason, message }: Waiting): string {
  return `${name}: ${shown(reason, 'waiting')} ${shown(message)}`.trim();
}

/** What warnings say, the newest first. */
function warnings(events: readonly Event[]): readonly string[] {
  const texts = events
    .filter(({ type }) => type === 'Warning')
    .map(({ reason, message }) => `${shown(reason)}: ${shown(message)}`);
  return unique(texts.reverse());
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

import type { Namespace, Pod, Toleration } from '../../apis/core.js';
import { DISCONNECTION_POLICY_ANNOTATION } from '../../apis/names.js';
import { parseDisconnectionPolicy, type DisconnectionPolicy } from '../cluster/disconnection-policy.js';
import { isAboutLostNode, LOST_NODE_TAINTS } from './lost-node.js';

/** The policy in force for a pod: its own, else its namespace's, else its Cluster's. Unreadable ones don't count. */
export function policyFor(
  pod: Pod,
  namespace: Namespace | undefined,
  clusterPolicy: DisconnectionPolicy,
): DisconnectionPolicy {
  for (const { metadata } of [pod, namespace ?? {}]) {
    const text = metadata?.annotations?.[DISCONNECTION_POLICY_ANNOTATION];
    const policy = text === undefined ? undefined : parseDisconnectionPolicy(text);
    if (policy !== undefined) return policy;
  }
  return clusterPolicy;
}

/** The annotation on the pod or its namespace that says something unreadable; undefined when there is none. */
export function unreadablePolicy(pod: Pod, namespace: Namespace | undefined): string | undefined {
  return [pod, namespace ?? {}]
    .map(({ metadata }) => metadata?.annotations?.[DISCONNECTION_POLICY_ANNOTATION])
    .find((text) => text !== undefined && parseDisconnectionPolicy(text) === undefined);
}

/**
 * The strategic merge patch that makes a host pod obey the policy, by how long it tolerates a lost node; undefined when
 * it does. `Evict` leaves the pod's own tolerations, which the API server has filled in with 300 s. An API server lets
 * `tolerationSeconds` of a pod be changed, but no toleration be taken away, so going back to `Evict` changes nothing.
 */
export function disconnectionPatch(pod: Pod, policy: DisconnectionPolicy): object | undefined {
  if (policy.kind === 'Evict') return undefined;
  const seconds = secondsOf(policy);
  const present = pod.spec?.tolerations ?? [];
  const adjusted = present.map((toleration) =>
    isAboutLostNode(toleration) ? withSeconds(toleration, seconds) : toleration,
  );
  const missing = [...LOST_NODE_TAINTS].filter((key) => !present.some((toleration) => tolerates(toleration, key)));
  const added = missing.map((key) => withSeconds({ key, operator: 'Exists', effect: 'NoExecute' }, seconds));
  const tolerations = [...adjusted, ...added];
  const unchanged = added.length === 0 && adjusted.every((item, i) => item === present[i]);
  return unchanged ? undefined : { metadata: { uid: pod.metadata?.uid }, spec: { tolerations } };
}

function secondsOf(policy: Exclude<DisconnectionPolicy, { kind: 'Evict' }>): number | undefined {
  return policy.kind === 'Keep' ? undefined : Math.ceil(policy.afterMs / 1000);
}

/** One that tolerates every taint, or every effect, has no time limit to change. */
function tolerates({ key, effect }: Toleration, taint: string): boolean {
  return (key === taint || !key) && (effect === 'NoExecute' || !effect);
}

function withSeconds(toleration: Toleration, seconds: number | undefined): Toleration {
  if (toleration.tolerationSeconds === seconds) return toleration;
  const { tolerationSeconds: _old, ...rest } = toleration;
  return seconds === undefined ? rest : { ...rest, tolerationSeconds: seconds };
}

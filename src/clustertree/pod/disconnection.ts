import type { Namespace, Pod, Toleration } from '../../apis/core.js';
import { DISCONNECTION_POLICY_ANNOTATION, OWN_TOLERATIONS_ANNOTATION } from '../../apis/names.js';
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

/** What a host pod said of lost nodes before a policy did, as its annotation keeps it. */
interface OwnTolerations {
  readonly tolerations: readonly Toleration[];
  /** Annotations are copied from pod to pod by people; the generation counts for this one only. */
  readonly uid?: string | undefined;
  /** The generation that writing the policy gave the pod; absent when the member still lacked an earlier one. */
  readonly generation?: number | undefined;
}

/**
 * The strategic merge patch that makes a host pod obey the policy, by how long it tolerates a lost node; undefined when
 * it does. `Evict` means the pod's own tolerations, which the API server has filled in with 300 s; what they were is
 * kept in an annotation, since an API server lets the seconds be changed but no toleration be taken away. One that was
 * added counts as 0 s then, which is what not having it means. A pod that tolerates all taints stays as it is:
 * Kubernetes never evicts it from a lost node.
 *
 * @param carried - whether the member has all of the pod's spec, or will be given all of it because it has no copy yet.
 */
export function disconnectionPatch(pod: Pod, policy: DisconnectionPolicy, carried: boolean): object | undefined {
  const known = readOwnTolerations(pod);
  if (policy.kind === 'Evict' && known === undefined) return undefined;
  const present = pod.spec?.tolerations ?? [];
  const own = known?.tolerations ?? present.filter(isAboutLostNode);
  const tolerations = tolerationsUnder(policy, present, own);
  if (tolerations.length === present.length && tolerations.every((one, i) => one === present[i])) return undefined;
  const { uid, generation } = pod.metadata ?? {};
  const isOurs = carried && generation !== undefined;
  const record: OwnTolerations = { tolerations: own, uid, generation: isOurs ? generation + 1 : undefined };
  const annotations = { [OWN_TOLERATIONS_ANNOTATION]: JSON.stringify(record) };
  return { metadata: { uid, annotations }, spec: { tolerations } };
}

function tolerationsUnder(
  policy: DisconnectionPolicy,
  present: readonly Toleration[],
  own: readonly Toleration[],
): readonly Toleration[] {
  const wanted = (toleration: Toleration): Toleration =>
    withSeconds(
      toleration,
      secondsUnder(
        policy,
        own.find((candidate) => isSameTaint(candidate, toleration)),
      ),
    );
  const adjusted = present.map((toleration) => (isAboutLostNode(toleration) ? wanted(toleration) : toleration));
  if (policy.kind === 'Evict') return adjusted;
  const missing = [...LOST_NODE_TAINTS].filter((key) => !present.some((toleration) => tolerates(toleration, key)));
  return [...adjusted, ...missing.map((key) => wanted({ key, operator: 'Exists', effect: 'NoExecute' }))];
}

/** The pod as it would be without any policy: what its copy is made from, since a policy speaks of virtual nodes only. */
export function withOwnTolerations(pod: Pod): Pod {
  const known = readOwnTolerations(pod);
  if (known === undefined || pod.spec === undefined) return pod;
  const tolerations = (pod.spec.tolerations ?? []).flatMap((toleration) => {
    if (!isAboutLostNode(toleration)) return [toleration];
    return known.tolerations.filter((own) => isSameTaint(own, toleration)).slice(0, 1);
  });
  return { ...pod, spec: { ...pod.spec, tolerations } };
}

/** The generation that a policy gave to a host pod whose spec the member had, or was about to get, in full. */
export function policyGeneration(pod: Pod): number | undefined {
  const known = readOwnTolerations(pod);
  return known?.uid === pod.metadata?.uid ? known?.generation : undefined;
}

/** Undefined when no policy was ever written, or when somebody has spoilt the annotation. */
function readOwnTolerations(pod: Pod): OwnTolerations | undefined {
  const text = pod.metadata?.annotations?.[OWN_TOLERATIONS_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const { tolerations, uid, generation } = JSON.parse(text) as Partial<Record<keyof OwnTolerations, unknown>>;
    if (!Array.isArray(tolerations)) return undefined;
    return {
      tolerations: (tolerations as unknown[]).filter(isObject) as Toleration[],
      ...(typeof uid === 'string' && { uid }),
      ...(typeof generation === 'number' && { generation }),
    };
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function secondsUnder(policy: DisconnectionPolicy, own: Toleration | undefined): number | undefined {
  if (policy.kind === 'Keep') return undefined;
  if (policy.kind === 'EvictAfter') return Math.ceil(policy.afterMs / 1000);
  return own === undefined ? 0 : own.tolerationSeconds;
}

function isSameTaint(left: Toleration, right: Toleration): boolean {
  return (
    left.key === right.key &&
    (left.operator ?? 'Equal') === (right.operator ?? 'Equal') &&
    (left.value ?? '') === (right.value ?? '') &&
    left.effect === right.effect
  );
}

/** Whether the taint, which has no value, is tolerated with the effect NoExecute. */
function tolerates({ key, operator = 'Equal', value, effect }: Toleration, taint: string): boolean {
  if (effect && effect !== 'NoExecute') return false;
  if (operator === 'Exists') return !key || key === taint;
  return operator === 'Equal' && key === taint && !value;
}

function withSeconds(toleration: Toleration, seconds: number | undefined): Toleration {
  if (toleration.tolerationSeconds === seconds) return toleration;
  const { tolerationSeconds: _old, ...rest } = toleration;
  return seconds === undefined ? rest : { ...rest, tolerationSeconds: seconds };
}

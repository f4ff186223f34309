import type { DaemonSet, NodeSelectorTerm } from '../../apis/core.js';
import { DAEMONSET_ALLOW_ANNOTATION, NODE_LABEL } from '../../apis/names.js';

/** Name of the admission policy and of its binding. */
export const EXCLUSION_POLICY = 'kosmos-daemonset-exclusion';

const REQUIREMENT = { key: NODE_LABEL, operator: 'DoesNotExist' } as const;
const AFFINITY = '/spec/template/spec/affinity';
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

/** The fields of the two kinds that we write; client libraries lag behind the API here. */
export interface PolicyObject {
  readonly apiVersion: 'admissionregistration.k8s.io/v1';
  readonly kind: 'MutatingAdmissionPolicy' | 'MutatingAdmissionPolicyBinding';
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

const cel = {
  requirement: `{"key": "${REQUIREMENT.key}", "operator": "${REQUIREMENT.operator}"}`,
  spec: 'object.spec.template.spec',
  annotated: (metadata: string) =>
    `has(${metadata}.annotations) && "${DAEMONSET_ALLOW_ANNOTATION}" in ${metadata}.annotations && ` +
    `${metadata}.annotations["${DAEMONSET_ALLOW_ANNOTATION}"] != "false"`,
};

/** CEL: the JSON patch that adds the requirement to every alternative of the required node affinity. */
function patchExpression(): string {
  const { spec, requirement } = cel;
  const term = `{"matchExpressions": [${requirement}]}`;
  const required = `{"nodeSelectorTerms": [${term}]}`;
  const terms = `${spec}.affinity.nodeAffinity.${REQUIRED}.nodeSelectorTerms`;
  const extended =
    `${terms}.map(t, {"matchExpressions": ` +
    `(has(t.matchExpressions) ? dyn(t.matchExpressions) : dyn([])) + dyn([${requirement}]), ` +
    `"matchFields": has(t.matchFields) ? dyn(t.matchFields) : dyn([])})`;
  const add = (path: string, value: string): string => `[JSONPatch{op: "add", path: "${path}", value: ${value}}]`;
  return [
    `!has(${spec}.affinity) ? ${add(AFFINITY, `{"nodeAffinity": {"${REQUIRED}": ${required}}}`)}`,
    `!has(${spec}.affinity.nodeAffinity) ? ${add(`${AFFINITY}/nodeAffinity`, `{"${REQUIRED}": ${required}}`)}`,
    `!has(${spec}.affinity.nodeAffinity.${REQUIRED}) ? ${add(`${AFFINITY}/nodeAffinity/${REQUIRED}`, required)}`,
    add(`${AFFINITY}/nodeAffinity/${REQUIRED}/nodeSelectorTerms`, extended),
  ].join(' : ');
}

/**
 * The objects that keep new DaemonSets off virtual nodes: an agent for each machine has nothing to do on a node that is
 * none. A DaemonSet, or its pod template, that is annotated `kosmos-io/daemonset-allow` is left alone. When the policy
 * fails, the DaemonSet is admitted as it is.
 */
export function exclusionPolicy(): readonly PolicyObject[] {
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: EXCLUSION_POLICY },
      spec: {
        failurePolicy: 'Ignore',
        reinvocationPolicy: 'IfNeeded',
        matchConstraints: {
          resourceRules: [
            { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['daemonsets'] },
          ],
        },
        matchConditions: [
          { name: 'not-allowed', expression: `!(${cel.annotated('object.metadata')})` },
          { name: 'template-not-allowed', expression: `!(${cel.annotated('object.spec.template.metadata')})` },
          {
            name: 'not-excluded-yet',
            expression:
              `!(has(${cel.spec}.affinity) && has(${cel.spec}.affinity.nodeAffinity) && ` +
              `has(${cel.spec}.affinity.nodeAffinity.${REQUIRED}) && ` +
              `${cel.spec}.affinity.nodeAffinity.${REQUIRED}.nodeSelectorTerms.all(t, ` +
              `has(t.matchExpressions) && t.matchExpressions.exists(e, e.key == "${REQUIREMENT.key}")))`,
          },
        ],
        mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: patchExpression() } }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: EXCLUSION_POLICY },
      spec: { policyName: EXCLUSION_POLICY },
    },
  ];
}

/**
 * The merge patch that excludes an existing DaemonSet from virtual nodes, which restarts its pods; undefined when it is
 * excluded already or allowed. Its required node affinity is replaced by the same with the requirement added.
 */
export function exclusionPatch(daemonSet: DaemonSet): object | undefined {
  const template = daemonSet.spec?.template;
  if (isAllowed(daemonSet.metadata) || isAllowed(template?.metadata)) return undefined;
  const terms = requiredTerms(daemonSet);
  if (terms.every(isExcluded)) return undefined;
  const nodeSelectorTerms = terms.map((term) =>
    isExcluded(term) ? term : { ...term, matchExpressions: [...(term.matchExpressions ?? []), REQUIREMENT] },
  );
  const { uid, resourceVersion } = daemonSet.metadata ?? {};
  const affinity = { nodeAffinity: { [REQUIRED]: { nodeSelectorTerms } } };
  return { metadata: { uid, resourceVersion }, spec: { template: { spec: { affinity } } } };
}

/** One empty term when nothing is required yet. */
function requiredTerms(daemonSet: DaemonSet): readonly NodeSelectorTerm[] {
  const required = daemonSet.spec?.template.spec?.affinity?.nodeAffinity?.[REQUIRED];
  return required?.nodeSelectorTerms ?? [{}];
}

function isAllowed(
  metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined } | undefined,
): boolean {
  const value = metadata?.annotations?.[DAEMONSET_ALLOW_ANNOTATION];
  return value !== undefined && value !== 'false';
}

function isExcluded(term: NodeSelectorTerm): boolean {
  return (term.matchExpressions ?? []).some(({ key }) => key === REQUIREMENT.key);
}

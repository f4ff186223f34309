import type { EphemeralContainer, LabelSelector, ObjectMeta, Pod, PodSpec, Service } from '../../apis/core.js';
import {
  CLUSTER_LABEL,
  DAEMONSET_ALLOW_ANNOTATION,
  HOST_CLUSTER_LABEL,
  HOST_UID_ANNOTATION,
  MEMBER_UID_ANNOTATION,
  OWN_TOLERATIONS_ANNOTATION,
  OWNER_LABEL,
  POD_LABEL,
} from '../../apis/names.js';
import type { HostApiAddress } from '../cluster/host-api.js';
import type { PodRequirements } from '../cluster/pod-needs.js';
import { podReferences } from '../cluster/pod-references.js';
import type { Placement } from './cluster-selector.js';
import { type ContainerContext, translateContainer } from './containers.js';
import { type Dropped, Findings, type Refusal } from './findings.js';
import { refuseNeed } from './needs.js';
import type { PlacementContext } from './node-terms.js';
import { translatePlacement, withParty } from './placement.js';
import { serviceEnvironment } from './service-env.js';
import type { SpecState } from './update.js';
import { translateVolumes } from './volumes.js';

/** How much of the member the pod's virtual node stands for. */
export type MemberMode = 'cluster' | { readonly node: string } | { readonly party: LabelSelector };

/** All that a translation depends on beside the host pod. */
export interface TranslateContext extends PlacementContext {
  readonly hostClusterUid: string;
  readonly clusterName: string;
  /** Value of the owner label. */
  readonly owner: string;
  /** Name of the host's root certificates in the member's namespace; the usual one when absent. */
  readonly rootCa?: string | undefined;
  readonly mode: MemberMode;
  /** Services of the pod's namespace in the host, and `default/kubernetes`; others do no harm. */
  readonly services: readonly Service[];
  readonly hostApi?: HostApiAddress | undefined;
  /** Names in the member; absent when not known, and then the member's API server is the one to say no. */
  readonly memberPriorityClasses?: ReadonlySet<string> | undefined;
  readonly memberRuntimeClasses?: ReadonlySet<string> | undefined;
}

/** The result of {@link translatePod}. */
export type Translation =
  | {
      readonly kind: 'pod';
      /** The body to create the member pod with. */
      readonly pod: Pod;
      /** The same with the ephemeral containers, which can only be added later; what `diffPod` compares with. */
      readonly wanted: Pod;
      /** What must exist before the member pod does. */
      readonly requirements: PodRequirements;
      readonly dropped: readonly Dropped[];
    }
  | { readonly kind: 'refused'; readonly reasons: readonly Refusal[] }
  /** A pod of a DaemonSet that nobody has allowed on virtual nodes. */
  | { readonly kind: 'daemonset'; readonly reason: string; readonly message: string };

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
/** Schedulers of the host that are not expected in a member. */
const HOST_SCHEDULERS = new Set(['kosmos-scheduler', 'default-scheduler']);
/** Annotations of ours that belong to the host pod alone. */
const HOST_ANNOTATIONS = new Set<string>([MEMBER_UID_ANNOTATION, OWN_TOLERATIONS_ANNOTATION]);

/**
 * The member pod that a host pod bound to a virtual node stands for, or why there can't be one. Pure: the same
 * arguments give the same pod. `docs/reference/pod-fields.md` says what happens to each field.
 */
export function translatePod(hostPod: Pod, context: TranslateContext): Translation {
  if (isUnwantedDaemon(hostPod)) {
    const message =
      'Pods of DaemonSets do not run on virtual nodes. Exclude nodes with the label kosmos.io/node in the affinity of ' +
      `the DaemonSet, or annotate its pod template with ${DAEMONSET_ALLOW_ANNOTATION}=true.`;
    return { kind: 'daemonset', reason: 'DaemonSetNotAllowed', message };
  }
  const findings = new Findings();
  const spec = translateSpec(hostPod, context, findings);
  const ephemeralContainers = translateEphemeral(hostPod, context, findings);
  if (findings.refusals.length > 0) return { kind: 'refused', reasons: findings.refusals };
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: memberPodMetadata(hostPod, context), spec };
  return {
    kind: 'pod',
    pod,
    wanted: ephemeralContainers.length > 0 ? { ...pod, spec: { ...spec, ephemeralContainers } } : pod,
    requirements: { namespace: hostPod.metadata?.namespace ?? '', ...podReferences(hostPod) },
    dropped: findings.dropped,
  };
}

/**
 * What `diffPod` compares the member pod with: the whole translation, or only the metadata while nothing else of it
 * would be looked at. Undefined for a pod that could not be made now; its member pod is left as it is.
 */
export function wantedPod(hostPod: Pod, context: TranslateContext, state: SpecState): Pod | undefined {
  if (state === 'applied') return { metadata: memberPodMetadata(hostPod, context) };
  const translation = translatePod(hostPod, context);
  return translation.kind === 'pod' ? translation.wanted : undefined;
}

function isUnwantedDaemon(hostPod: Pod): boolean {
  const owners = hostPod.metadata?.ownerReferences ?? [];
  const isDaemon = owners.some(
    (owner) => owner.controller === true && owner.kind === 'DaemonSet' && owner.apiVersion.startsWith('apps/'),
  );
  const allowed = hostPod.metadata?.annotations?.[DAEMONSET_ALLOW_ANNOTATION];
  return isDaemon && (allowed === undefined || allowed === 'false');
}

/** Name, labels and annotations of the member pod. */
export function memberPodMetadata(
  hostPod: Pod,
  context: Pick<TranslateContext, 'hostClusterUid' | 'clusterName' | 'owner'>,
): ObjectMeta {
  const metadata = hostPod.metadata ?? {};
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !HOST_ANNOTATIONS.has(key));
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    labels: {
      ...metadata.labels,
      [POD_LABEL]: 'true',
      [HOST_CLUSTER_LABEL]: context.hostClusterUid,
      [CLUSTER_LABEL]: context.clusterName,
      [OWNER_LABEL]: context.owner,
    },
    annotations: { ...Object.fromEntries(annotations), [HOST_UID_ANNOTATION]: metadata.uid ?? '' },
  };
}

function translateSpec(hostPod: Pod, context: TranslateContext, findings: Findings): PodSpec {
  if (hostPod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined) {
    const message = 'A static pod belongs to the kubelet of one machine. Run it there, or make it an ordinary pod.';
    findings.refuse(`metadata.annotations[${MIRROR_ANNOTATION}]`, 'StaticPod', message);
  }
  const spec = hostPod.spec ?? { containers: [] };
  const containers = containerContext(hostPod, context);
  const volumes = translateVolumes(spec.volumes, hostPod.metadata ?? {}, findings, context.rootCa);
  refuseClaims(spec, findings);
  dropFields(spec, findings);
  return {
    ...withoutHostFields(spec),
    ...translatePodPlacement(hostPod, context, findings),
    ...translateClasses(spec, context, findings),
    nodeName: typeof context.mode === 'object' && 'node' in context.mode ? context.mode.node : undefined,
    schedulerName: HOST_SCHEDULERS.has(spec.schedulerName ?? '') ? undefined : spec.schedulerName,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    volumes,
    initContainers: spec.initContainers?.map((container) =>
      translateContainer(container, `spec.initContainers[${container.name}]`, containers, findings),
    ),
    containers: spec.containers.map((container) =>
      translateContainer(container, `spec.containers[${container.name}]`, containers, findings),
    ),
  };
}

/** Every field that is not named here travels as it is, also one that is newer than this program. */
function withoutHostFields(spec: PodSpec): PodSpec {
  const {
    ephemeralContainers: _ephemeralContainers,
    overhead: _overhead,
    preemptionPolicy: _preemptionPolicy,
    priority: _priority,
    readinessGates: _readinessGates,
    resourceClaims: _resourceClaims,
    schedulingGates: _schedulingGates,
    schedulingGroup: _schedulingGroup,
    serviceAccount: _serviceAccount,
    ...rest
  } = spec;
  return rest;
}

function translatePodPlacement(hostPod: Pod, context: TranslateContext, findings: Findings): Placement {
  const none: Placement = {
    nodeSelector: undefined,
    affinity: undefined,
    tolerations: undefined,
    topologySpreadConstraints: undefined,
  };
  const placement = { ...none, ...translatePlacement(hostPod, context, findings) };
  const isParty = typeof context.mode === 'object' && 'party' in context.mode;
  return isParty ? withParty(placement, context.mode.party) : placement;
}

/** Classes are objects of each cluster: a name of the host may be unknown to the member, or mean something else. */
function translateClasses(
  spec: PodSpec,
  context: TranslateContext,
  findings: Findings,
): Pick<PodSpec, 'priorityClassName' | 'runtimeClassName'> {
  const { priorityClassName, runtimeClassName } = spec;
  if (runtimeClassName && context.memberRuntimeClasses?.has(runtimeClassName) === false) {
    const message =
      `Member cluster ${context.clusterName} has no RuntimeClass ${runtimeClassName}. ` +
      'Create it there, or remove runtimeClassName from the pod.';
    findings.refuse('spec.runtimeClassName', 'RuntimeClassMissing', message);
  }
  const hasPriority = !priorityClassName || (context.memberPriorityClasses?.has(priorityClassName) ?? true);
  if (!hasPriority) {
    const message =
      `Member cluster ${context.clusterName} has no PriorityClass ${priorityClassName}; the pod runs there with the ` +
      "member's default priority. Create the class there to keep the pod's priority.";
    findings.drop('spec.priorityClassName', message, 'PriorityClassMissing');
  }
  return { runtimeClassName, priorityClassName: hasPriority && priorityClassName ? priorityClassName : undefined };
}

function refuseClaims(spec: PodSpec, findings: Findings): void {
  for (const claim of spec.resourceClaims ?? []) {
    refuseNeed(findings, `spec.resourceClaims[${claim.name}]`, 'NeedsResourceClaim');
  }
  if ((spec.resources?.claims ?? []).length > 0) refuseNeed(findings, 'spec.resources.claims', 'NeedsResourceClaim');
}

/** Notes what {@link withoutHostFields} leaves out, as far as it is of any interest. */
function dropFields(spec: PodSpec, findings: Findings): void {
  if (spec.readinessGates?.length) findings.drop('spec.readinessGates', 'evaluated in the host');
  if (spec.schedulingGroup) findings.drop('spec.schedulingGroup', 'the group was scheduled in the host');
}

function containerContext(hostPod: Pod, context: TranslateContext): ContainerContext {
  return {
    rootCa: context.rootCa,
    hostUid: hostPod.metadata?.uid ?? '',
    serviceEnvironment: serviceEnvironment(context.services, {
      namespace: hostPod.metadata?.namespace ?? '',
      links: hostPod.spec?.enableServiceLinks !== false,
      hostApi: context.hostApi,
    }),
  };
}

/** A debug container that can't be had is left out: the pod it was added to runs on. */
function translateEphemeral(hostPod: Pod, context: TranslateContext, findings: Findings): EphemeralContainer[] {
  const ephemeral = hostPod.spec?.ephemeralContainers ?? [];
  if (ephemeral.length === 0) return [];
  const containers = containerContext(hostPod, context);
  return ephemeral.flatMap((container) => {
    const path = `spec.ephemeralContainers[${container.name}]`;
    const own = new Findings();
    const translated = translateContainer(container, path, containers, own);
    findings.dropped.push(...own.dropped);
    for (const refusal of own.refusals) findings.drop(path, refusal.message, refusal.reason);
    return own.refusals.length > 0 ? [] : [translated];
  });
}

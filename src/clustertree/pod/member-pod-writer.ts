import type { Pod } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { ApiError, isAlreadyExists, isNotFound } from '../../kube/api-error.js';
import { pods, type ObjectRef } from '../../kube/resource.js';
import { errorMessage, FederationError } from '../../lib/errors.js';
import { rootCaName } from '../cluster/member-names.js';
import { withOwnTolerations } from './disconnection.js';
import type { Member } from '../cluster/member.js';
import type { PodRequirements } from '../cluster/pod-needs.js';
import type { PodReconcilerOptions } from './reconciler-options.js';
import { isObserved } from './status.js';
import { translatePod, type MemberMode, type TranslateContext, type Translation } from './translate.js';
import { diffPod, specState } from './update.js';

/** What became of an attempt to make a member pod. */
export type CreateOutcome =
  | { readonly kind: 'created' }
  /** An Event says why; the host pod stays Pending. */
  | { readonly kind: 'refused' }
  /** Likewise, until something that the pod needs is there. */
  | { readonly kind: 'waiting' }
  /** Something of that name is in the member already; undefined when it went away in between. */
  | { readonly kind: 'exists'; readonly pod: Pod | undefined }
  | { readonly kind: 'daemonset'; readonly reason: string; readonly message: string };

/** Reason of the Event when the member's API server turns a pod down. */
const MEMBER_REFUSED = 'MemberRefusedPod';
/** HTTP codes that are about the pod: it is not well-formed there, or admission, a quota or validation says no. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 413, 422]);
/** Quotas and policies don't change within milliseconds. */
const FIRST_RETRY_MS = 1_000;

/** Creates and updates the pods of one member. */
export class MemberPodWriter {
  readonly #options: PodReconcilerOptions;

  constructor(options: PodReconcilerOptions) {
    this.#options = options;
  }

  /** One POST, after the namespace and all that the pod needs are there. Throws what is worth another try. */
  async create(hostPod: Pod, signal: AbortSignal): Promise<CreateOutcome> {
    const { member, caches } = this.#options;
    const rootCa = this.#rootCa(hostPod);
    const first = this.#translate(hostPod);
    if (first.kind !== 'pod') return this.#notMade(hostPod, first);
    const namespace = caches.namespaces.get(hostPod.metadata?.namespace ?? '');
    if (namespace === undefined) return { kind: 'refused' };
    await member.namespaceMaker.ensure(namespace, signal);
    // Somebody else may have made the namespace in this very moment.
    const translation = this.#rootCa(hostPod) === rootCa ? first : this.#translate(hostPod);
    if (translation.kind !== 'pod') return this.#notMade(hostPod, translation);
    if (!(await this.#meetNeeds(hostPod, translation.requirements, signal))) return { kind: 'waiting' };
    return this.#post(hostPod, translation, signal);
  }

  #notMade(hostPod: Pod, translation: Exclude<Translation, { kind: 'pod' }>): CreateOutcome {
    if (translation.kind === 'daemonset') return translation;
    for (const { reason, path, message } of translation.reasons) {
      this.#options.events.warn(hostPod, reason, `${path}: ${message}`);
    }
    return { kind: 'refused' };
  }

  async #post(
    hostPod: Pod,
    translation: Extract<Translation, { kind: 'pod' }>,
    signal: AbortSignal,
  ): Promise<CreateOutcome> {
    const { member, events } = this.#options;
    try {
      const options = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', signal } as const;
      member.pods.assume(await member.client.create(pods, translation.pod, options));
    } catch (error) {
      if (isAlreadyExists(error)) return { kind: 'exists', pod: await this.#existing(hostPod, signal) };
      throw this.#refusal(hostPod, error);
    }
    for (const { event, path, message } of translation.dropped) {
      if (event !== undefined) events.warn(hostPod, event, `${path}: ${message}`);
    }
    return { kind: 'created' };
  }

  /** False when something is missing; an Event says what. */
  async #meetNeeds(hostPod: Pod, requirements: PodRequirements, signal: AbortSignal): Promise<boolean> {
    const { member, events } = this.#options;
    const unmet = await Promise.all(member.needs.map((need) => need.ensure(hostPod, requirements, signal)));
    for (const { reason, message } of unmet.flat()) events.warn(hostPod, reason, message);
    return unmet.flat().length === 0;
  }

  /** Carries over what may change after creation. `current` is the member pod as it is then. */
  async update(hostPod: Pod, memberPod: Pod, signal: AbortSignal): Promise<{ inStep: boolean; current: Pod }> {
    const translation = this.#translate(hostPod);
    if (translation.kind !== 'pod') return { inStep: false, current: memberPod };
    const state = specState(hostPod);
    const changes = diffPod(translation.wanted, memberPod, state);
    if (changes === undefined) return { inStep: isObserved(memberPod), current: memberPod };
    let current = memberPod;
    let refused = 0;
    const patches = [
      [changes.metadataAndSpec, undefined],
      [changes.ephemeralContainers, 'ephemeralcontainers'],
      [changes.resize, 'resize'],
    ] as const;
    for (const [patch, subresource] of patches) {
      if (patch === undefined) continue;
      const result = await this.#patch(hostPod, patch, subresource, signal);
      if (result === undefined) refused += 1;
      else current = result;
    }
    return { inStep: refused === 0 && isObserved(current), current };
  }

  /** Undefined when the member turned it down (an Event says so) or the pod is gone by now. */
  async #patch(
    hostPod: Pod,
    patch: object,
    subresource: string | undefined,
    signal: AbortSignal,
  ): Promise<Pod | undefined> {
    const { member } = this.#options;
    const options = { type: 'strategic', fieldManager: FIELD_MANAGER, subresource, signal } as const;
    try {
      const pod = await member.client.patch(pods, refOf(hostPod), patch, options);
      member.pods.assume(pod);
      return pod;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      const refusal = this.#refusal(hostPod, error);
      if (refusal === error) throw error;
      return undefined;
    }
  }

  /** What the member's API server or its admission turns down may be accepted later: quotas and policies change. */
  #refusal(hostPod: Pod, error: unknown): unknown {
    if (!(error instanceof ApiError) || !REFUSALS.has(error.statusCode)) return error;
    this.#options.events.warn(hostPod, MEMBER_REFUSED, errorMessage(error));
    return new FederationError('POD_REFUSED', 'the member refused the pod', {
      cause: error,
      firstRetryMs: FIRST_RETRY_MS,
    });
  }

  async #existing(hostPod: Pod, signal: AbortSignal): Promise<Pod | undefined> {
    try {
      return await this.#options.member.client.get(pods, refOf(hostPod), { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #translate(hostPod: Pod): Translation {
    return translatePod(withOwnTolerations(hostPod), this.#context(hostPod));
  }

  /** Name of the host's root certificates in the pod's namespace of the member. */
  #rootCa(hostPod: Pod): string {
    const { namespaces, ownership } = this.#options.member;
    return rootCaName(namespaces.store.get(hostPod.metadata?.namespace ?? ''), ownership);
  }

  #context(hostPod: Pod): TranslateContext {
    const { member, caches } = this.#options;
    const name = hostPod.spec?.nodeName ?? '';
    const spec = member.config.virtualNodes.find(({ nodeName }) => nodeName === name);
    const labels = caches.nodes.get(name)?.metadata?.labels;
    return {
      ...member.ownership,
      ...knownOf(member),
      mode: modeOf(spec),
      rootCa: this.#rootCa(hostPod),
      virtualNode: { name, labels: labels ?? {}, taints: spec?.taints ?? [] },
      services: caches.servicesIn(hostPod.metadata?.namespace ?? ''),
      hostApi: member.config.hostApi ?? this.#options.hostApi,
    };
  }
}

/** What is known of the member beside its pods. */
function knownOf({
  nodeLabelKeys,
  classNames,
}: Member): Pick<TranslateContext, 'memberLabelKeys' | 'memberPriorityClasses' | 'memberRuntimeClasses'> {
  return {
    memberLabelKeys: nodeLabelKeys,
    memberPriorityClasses: classNames?.priorityClasses,
    memberRuntimeClasses: classNames?.runtimeClasses,
  };
}

function modeOf(spec: PodReconcilerOptions['member']['config']['virtualNodes'][number] | undefined): MemberMode {
  if (spec?.mode === 'node') return { node: spec.memberNodeName };
  return spec?.mode === 'party' ? { party: spec.selector } : 'cluster';
}

function refOf(pod: Pod): ObjectRef {
  return { namespace: pod.metadata?.namespace, name: pod.metadata?.name ?? '' };
}

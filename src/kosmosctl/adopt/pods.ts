import type { Container, Pod } from '../../apis/core.js';
import { JOB_TRACKING_FINALIZER, MEMBER_UID_ANNOTATION, POD_LABEL } from '../../apis/names.js';
import { isLabelled, type Ownership } from '../../clustertree/cluster/ownership.js';
import { memberPodMetadata } from '../../clustertree/pod/translate.js';
import { specState } from '../../clustertree/pod/update.js';
import { hasRun, isTerminal } from '../../clustertree/pod/verdict.js';
import { pods } from '../../kube/resource.js';
import { echoesOf, removalOf, withoutKeys, type MetadataKeys } from './echoes.js';
import { ADOPTED, marked, otherOwner, problem, stays, type Change, type Judgement } from './judgement.js';

/** Both sides of one pod name. */
export interface PodPair {
  /** Bound to one of the Cluster's virtual nodes. */
  readonly hostPod: Pod | undefined;
  readonly memberPod: Pod | undefined;
  /** The host has a pod of that name on another node. */
  readonly isElsewhere: boolean;
}

const WILL_FAIL = 'the manager will mark the host pod as Failed, so that its controller replaces it';

/** What becomes of a pod; undefined when there is nothing to say about it. */
export function judgePod({ hostPod, memberPod, isElsewhere }: PodPair, ownership: Ownership): Judgement | undefined {
  if (memberPod === undefined) return hostPod && withoutCopy(hostPod);
  if (isLabelled(memberPod, ownership)) return ADOPTED;
  const isFormer = memberPod.metadata?.labels?.[POD_LABEL] === 'true';
  const other = otherOwner(memberPod, ownership);
  if (!isFormer || other !== undefined) return hostPod && foreign(hostPod, other);
  if (hostPod === undefined) return orphan(isElsewhere);
  return judgeCopy(hostPod, memberPod, ownership);
}

function withoutCopy(hostPod: Pod): Judgement | undefined {
  if (hostPod.metadata?.deletionTimestamp || isTerminal(hostPod) || !hasRun(hostPod)) return undefined;
  return problem(`has run, and has no copy in the member any more: ${WILL_FAIL}`);
}

function foreign(hostPod: Pod, other: string | undefined): Judgement {
  const outcome = hasRun(hostPod) ? WILL_FAIL : 'the host pod stays Pending until one of the two is gone';
  return problem(`the member's pod of that name belongs to ${other ?? 'somebody else'}: ${outcome}`);
}

function orphan(isElsewhere: boolean): Judgement {
  const why = isElsewhere ? "the host's pod of that name is on another node" : 'the host has no such pod';
  return stays(`${why}; delete it in the member if nobody needs it`);
}

function judgeCopy(hostPod: Pod, memberPod: Pod, ownership: Ownership): Judgement {
  if (isTerminal(hostPod) && !isTerminal(memberPod)) {
    return stays(`has ended in the host (${hostPod.status?.phase ?? ''}) and runs on; delete it in the member`);
  }
  const images = differentImages(hostPod, memberPod);
  const mistaken = mistakenIdentity(hostPod, memberPod, images);
  if (mistaken !== undefined) return problem(mistaken);
  const isChanged = images !== undefined && specState(hostPod) !== 'applied';
  return {
    kind: 'adopt',
    changes: changesOf(hostPod, memberPod, ownership),
    ...(isChanged && { note: `the manager will carry over what was changed in the host: ${images}` }),
  };
}

/**
 * Why the member pod can't be the host pod's copy, which only its name says; undefined when it seems to be. Both sides'
 * start is what the kubelet of the member wrote, so that no two clocks are compared.
 */
function mistakenIdentity(hostPod: Pod, memberPod: Pod, images: string | undefined): string | undefined {
  const [shown, actual] = [hostPod.status?.startTime, memberPod.status?.startTime];
  if (shown !== undefined && shown !== actual) {
    return `is not the pod whose status the host shows (it started at ${actual ?? 'no time yet'}): ${WILL_FAIL}`;
  }
  if (shown !== undefined || actual === undefined || images === undefined) return undefined;
  return `seems to be the copy of an earlier pod of that name (${images} differs); delete it in the member`;
}

/** What differs, for people. */
function differentImages(hostPod: Pod, memberPod: Pod): string | undefined {
  const all = ({ spec }: Pod): readonly Container[] => [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const present = new Map(all(memberPod).map(({ name, image }) => [name, image]));
  const wanted = all(hostPod);
  const changed = wanted.find(({ name, image }) => present.has(name) && present.get(name) !== image);
  if (changed !== undefined) return `image ${changed.image ?? ''} of container ${changed.name}`;
  const missing = wanted.find(({ name }) => !present.has(name));
  return missing && `container ${missing.name}`;
}

function changesOf(hostPod: Pod, memberPod: Pod, ownership: Ownership): readonly Change[] {
  const echoes = echoesOf(hostPod, memberPod);
  const { namespace, name = '' } = memberPod.metadata ?? {};
  const ref = { namespace, name };
  const finalizers = copiedFinalizers(hostPod, memberPod);
  const freed: Change = {
    ...{ where: 'member', type: pods, ref, how: 'strategic', body: withoutFinalizers(memberPod, finalizers) },
  };
  return [
    { where: 'host', type: pods, ref, how: 'merge', body: hostPatch(hostPod, memberPod, echoes) },
    ...(finalizers.length === 0 ? [] : [freed]),
    marked(pods, memberPod, memberPodMetadata(withoutKeys(hostPod, echoes), ownership)),
  ];
}

/** Puts on record which pod is the copy, so that no other can take its place unnoticed. */
function hostPatch(hostPod: Pod, memberPod: Pod, echoes: MetadataKeys): object {
  const { labels, annotations } = removalOf(echoes);
  const record = { [MEMBER_UID_ANNOTATION]: memberPod.metadata?.uid };
  return { metadata: { uid: hostPod.metadata?.uid, labels, annotations: { ...annotations, ...record } } };
}

/** Whoever would take them away is in the host, and would let the copy wait for ever. */
function copiedFinalizers(hostPod: Pod, memberPod: Pod): readonly string[] {
  const { finalizers: ofHost = [] } = hostPod.metadata ?? {};
  const { finalizers = [] } = memberPod.metadata ?? {};
  return finalizers.filter((finalizer) => finalizer === JOB_TRACKING_FINALIZER || ofHost.includes(finalizer));
}

function withoutFinalizers({ metadata }: Pod, finalizers: readonly string[]): object {
  return { metadata: { uid: metadata?.uid, '$deleteFromPrimitiveList/finalizers': finalizers } };
}

import type { Container, Pod, PodSpec, Toleration } from '../../apis/core.js';
import { sameJson } from '../../lib/same-json.js';
import { policyGeneration } from './disconnection.js';
import { isAboutLostNode } from './lost-node.js';
import { ownedKeys } from '../cluster/owned-keys.js';

/** Bodies of the patches that bring a member pod in step with its host pod; each names the pod's UID. */
export interface PodChanges {
  /** Strategic merge patch of the pod. */
  readonly metadataAndSpec?: object;
  /** Strategic merge patch of the subresource `ephemeralcontainers`. */
  readonly ephemeralContainers?: object;
  /** Strategic merge patch of the subresource `resize`. */
  readonly resize?: object;
}

/**
 * Whether the member has been told of the host pod's spec as it is now:
 * - `applied`: yes. A spec that differs was changed by the member's own admission and is left to it;
 * - `pending`: no, it was changed since;
 * - `unknown`: the host counts no generations (Kubernetes before 1.33), so the specs themselves have to be compared.
 *   Resources are not, because such a host can't change them.
 */
export type SpecState = 'applied' | 'pending' | 'unknown';

type Resources = NonNullable<Container['resources']>;
type Quantities = NonNullable<Resources['requests']>;

/** Resources that can be changed while a pod runs. */
const RESIZABLE = ['cpu', 'memory'] as const;

/**
 * A new pod has generation 1, and binding it is no change; the status carries the last generation carried over; and one
 * that only a disconnection policy made has nothing for the member.
 */
export function specState(hostPod: Pod): SpecState {
  const generation = hostPod.metadata?.generation;
  if (generation === undefined) return 'unknown';
  const carriedOver = [1, hostPod.status?.observedGeneration, policyGeneration(hostPod)];
  return carriedOver.includes(generation) ? 'applied' : 'pending';
}

/**
 * What has to change in the member pod, of all that Kubernetes allows to change after creation. `wanted` is the
 * translation of the host pod, `actual` the member pod, `state` of the host pod. Undefined when nothing has to.
 * Whatever the member's API server, admission or controllers have added is left alone.
 */
export function diffPod(wanted: Pod, actual: Pod, state: SpecState): PodChanges | undefined {
  const metadata = { uid: actual.metadata?.uid };
  const keys = diffMetadata(wanted, actual);
  const { spec, ephemeralContainers, resize } = diffSpecs(wanted, actual, state);
  const changes: PodChanges = {
    ...((keys ?? spec) && { metadataAndSpec: { metadata: { ...metadata, ...keys }, ...(spec && { spec }) } }),
    ...(ephemeralContainers && { ephemeralContainers: { metadata, spec: { ephemeralContainers } } }),
    ...(resize && { resize: { metadata, spec: resize } }),
  };
  return Object.keys(changes).length > 0 ? changes : undefined;
}

interface SpecChanges {
  readonly spec?: object | undefined;
  readonly ephemeralContainers?: readonly object[] | undefined;
  readonly resize?: object | undefined;
}

function diffSpecs(wantedPod: Pod, actualPod: Pod, state: SpecState): SpecChanges {
  const { spec: wanted } = wantedPod;
  const { spec: actual } = actualPod;
  if (state === 'applied' || !wanted || !actual) return {};
  return {
    spec: diffSpec(wanted, actual),
    ephemeralContainers: newEphemeral(wanted, actual),
    resize: state === 'pending' ? diffResources(wanted, actual) : undefined,
  };
}

function diffMetadata(wanted: Pod, actual: Pod): object | undefined {
  const owned = ownedKeys(actual);
  const labels = diffKeys(wanted.metadata?.labels, actual.metadata?.labels, owned.labels);
  const annotations = diffKeys(wanted.metadata?.annotations, actual.metadata?.annotations, owned.annotations);
  if (!labels && !annotations) return undefined;
  return { ...(labels && { labels }), ...(annotations && { annotations }) };
}

/** Values to set, and null for keys that we once set and that the host pod has no longer. */
function diffKeys(
  wanted: Readonly<Record<string, string>> = {},
  actual: Readonly<Record<string, string>> = {},
  owned: readonly string[],
): Record<string, string | null> | undefined {
  const changed = Object.entries(wanted).filter(([key, value]) => actual[key] !== value);
  const vanished = owned.filter((key) => !Object.hasOwn(wanted, key) && Object.hasOwn(actual, key));
  if (changed.length === 0 && vanished.length === 0) return undefined;
  return { ...Object.fromEntries(changed), ...Object.fromEntries(vanished.map((key) => [key, null])) };
}

function diffSpec(wanted: PodSpec, actual: PodSpec): object | undefined {
  const containers = diffImages(wanted.containers, actual.containers);
  const initContainers = diffImages(wanted.initContainers ?? [], actual.initContainers ?? []);
  const tolerations = addTolerations(wanted.tolerations ?? [], actual.tolerations ?? []);
  const deadline = shorterDeadline(wanted.activeDeadlineSeconds, actual.activeDeadlineSeconds);
  const spec = {
    ...(containers.length > 0 && { containers }),
    ...(initContainers.length > 0 && { initContainers }),
    ...(tolerations && { tolerations }),
    ...(deadline !== undefined && { activeDeadlineSeconds: deadline }),
  };
  return Object.keys(spec).length > 0 ? spec : undefined;
}

function diffImages(wanted: readonly Container[], actual: readonly Container[]): object[] {
  return wanted.flatMap(({ name, image }) => {
    const present = actual.find((container) => container.name === name);
    return present && image !== undefined && present.image !== image ? [{ name, image }] : [];
  });
}

/**
 * The whole list, because it is replaced as one; undefined when `actual` has all of `wanted`. The time on a lost node is
 * not carried over after creation: in the host it follows the disconnection policy, which is not about member nodes.
 */
function addTolerations(host: readonly Toleration[], actual: readonly Toleration[]): readonly Toleration[] | undefined {
  const wanted = host.filter((toleration) => !isAboutLostNode(toleration));
  if (wanted.every((toleration) => actual.some((present) => sameJson(toleration, present)))) return undefined;
  const timeless = (toleration: Toleration): Toleration => ({ ...toleration, tolerationSeconds: undefined });
  const isWanted = (present: Toleration): boolean =>
    wanted.some((toleration) => sameJson(timeless(toleration), timeless(present)));
  return [...actual.filter((present) => !isWanted(present)), ...wanted];
}

function shorterDeadline(wanted: number | undefined, actual: number | undefined): number | undefined {
  if (wanted === undefined || (actual !== undefined && wanted >= actual)) return undefined;
  return wanted;
}

function newEphemeral(wanted: PodSpec, actual: PodSpec): readonly object[] | undefined {
  const present = new Set(actual.ephemeralContainers?.map((container) => container.name));
  const added = (wanted.ephemeralContainers ?? []).filter((container) => !present.has(container.name));
  return added.length > 0 ? added : undefined;
}

function diffResources(wanted: PodSpec, actual: PodSpec): object | undefined {
  const containers = resizedContainers(wanted.containers, actual.containers);
  const initContainers = resizedContainers(wanted.initContainers ?? [], actual.initContainers ?? []);
  const resources = resized(wanted.resources, actual.resources);
  const spec = {
    ...(containers.length > 0 && { containers }),
    ...(initContainers.length > 0 && { initContainers }),
    ...(resources && { resources }),
  };
  return Object.keys(spec).length > 0 ? spec : undefined;
}

function resizedContainers(wanted: readonly Container[], actual: readonly Container[]): object[] {
  return wanted.flatMap(({ name, resources }) => {
    const present = actual.find((container) => container.name === name);
    const change = present && resized(resources, present.resources);
    return change ? [{ name, resources: change }] : [];
  });
}

function resized(wanted: Resources | undefined, actual: Resources | undefined): object | undefined {
  const requests = resizedQuantities(wanted?.requests, actual?.requests);
  const limits = resizedQuantities(wanted?.limits, actual?.limits);
  return requests || limits ? { ...(requests && { requests }), ...(limits && { limits }) } : undefined;
}

/** API servers write every quantity in its one canonical form, so texts can be compared. */
function resizedQuantities(wanted: Quantities = {}, actual: Quantities = {}): Quantities | undefined {
  const changed = RESIZABLE.flatMap((name) => {
    const quantity = wanted[name];
    return quantity === undefined || quantity === actual[name] ? [] : [[name, quantity] as const];
  });
  return changed.length > 0 ? Object.fromEntries(changed) : undefined;
}

import type { KubeObject, Namespace, Node, Pod } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import {
  configMaps,
  metadataOf,
  namespaces,
  objectKey,
  pods,
  secrets,
  serviceAccounts,
  type ResourceType,
} from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import { deleteByUid, deleteNode, deletePod, drainStep } from './drain.js';
import { leaveClaims } from './leave-claims.js';
import type { Member } from './member.js';
import { removeNamespace } from './namespace-removal.js';
import { isOwned, ownedSelector } from './ownership.js';

export interface LeaveOptions {
  readonly host: KubeClient;
  readonly clock: Clock;
  /** The cluster's virtual nodes. */
  readonly virtualNodes: () => readonly Node[];
  /** Host pods on them. */
  readonly hostPods: () => readonly Pod[];
  /** Undefined while the member can't be connected at all. */
  readonly member: () => Member | undefined;
  /** Why the member can't be connected, as far as that is known. */
  readonly problem: () => string | undefined;
  /** May change while the cluster leaves. */
  readonly timeoutMs: () => number;
}

/** How far the leaving of a cluster has come. */
export type LeaveProgress =
  | { readonly done: false; readonly step: string }
  /** `left`: what had to stay behind in the member; empty when nothing did. */
  | { readonly done: true; readonly left: readonly string[] };

/** What is in the member of ours: what is about to go, what stays for good, or why nobody knows. */
interface Remains {
  readonly going: readonly string[];
  readonly kept: readonly string[];
  readonly problem?: string;
}

/**
 * Takes a cluster out of the federation: pods go with their grace, then what we made in the member, then the virtual
 * nodes. All that is waited for, a member that doesn't answer above all, is waited for until the timeout, counted from
 * the first step in this process.
 */
export class Leave {
  readonly #options: LeaveOptions;
  readonly #startedAt: number;

  constructor(options: LeaveOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
  }

  /** Does what can be done now; call it again until it is done. Throws what the host refuses. */
  async step(signal: AbortSignal): Promise<LeaveProgress> {
    const { host, virtualNodes, hostPods, clock, timeoutMs } = this.#options;
    const expired = clock.monotonic() - this.#startedAt >= timeoutMs();
    const remaining = await drainStep(host, virtualNodes(), hostPods(), { force: expired, signal });
    if (remaining > 0 && !expired) return { done: false, step: `waiting for ${remaining} pods to end` };
    const remains = await this.#clean(signal);
    const step = nextStep(remains);
    if (step !== undefined && !expired) return { done: false, step };
    for (const node of virtualNodes()) await deleteNode(host, node, signal);
    return { done: true, left: leftBehind(remains) };
  }

  async #clean(signal: AbortSignal): Promise<Remains> {
    const { member, problem } = this.#options;
    const connected = member();
    if (connected === undefined) return unknown(problem() ?? 'it is not connected');
    const probe = connected.probe.result;
    if (probe?.reachable !== true) return unknown(probe?.message ?? 'it has not answered yet');
    try {
      return await cleanMember(connected, this.#options.host, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return unknown(errorMessage(error));
    }
  }
}

function unknown(why: string): Remains {
  return { going: [], kept: [], problem: why };
}

/** Kinds of objects that are made for pods. */
const COPIED_TYPES: readonly ResourceType<KubeObject>[] = [configMaps, secrets, serviceAccounts];

function nextStep({ going, problem }: Remains): string | undefined {
  if (problem !== undefined) return `waiting for the member: ${problem}`;
  const [first, ...others] = going;
  if (first === undefined) return undefined;
  return `waiting for ${first}${others.length === 0 ? '' : ` and ${others.length} more`} in the member`;
}

function leftBehind({ going, kept, problem }: Remains): readonly string[] {
  return [...kept, ...going, ...(problem === undefined ? [] : [`what could not be looked for: ${problem}`])];
}

/** Removes what we made in the member. */
async function cleanMember(member: Member, host: KubeClient, signal: AbortSignal): Promise<Remains> {
  const selector = { labelSelector: ownedSelector(member.ownership), signal };
  const memberPods = (await member.client.list(pods, selector)).items;
  const ours = memberPods.filter((pod) => isOwned(pod, member.ownership));
  await Promise.all(ours.map((pod) => deletePod(member.client, pod, { force: false, signal })));
  if (ours.length > 0) return { going: ours.map((pod) => `pod ${objectKey(pod)}`), kept: [] };
  const copies = await removeCopies(member, signal);
  if (copies.length > 0) return { going: copies, kept: [] };
  const ofClaims = await leaveClaims(member, host, signal);
  if (ofClaims.going.length > 0) return ofClaims;
  const ourNamespaces = (await member.client.list(namespaces, selector)).items.filter((namespace) =>
    isOwned(namespace, member.ownership),
  );
  const remains = await Promise.all(ourNamespaces.map((namespace) => leaveNamespace(member, namespace, signal)));
  return {
    going: remains.flatMap(({ going }) => going),
    kept: [...ofClaims.kept, ...remains.flatMap(({ kept }) => kept)],
  };
}

/** What pods needed may be in namespaces that stay. What was there is returned, as `Kind namespace/name`. */
async function removeCopies(member: Member, signal: AbortSignal): Promise<readonly string[]> {
  const selector = { labelSelector: ownedSelector(member.ownership), signal };
  const removals = COPIED_TYPES.map(async (type) => {
    const { items } = await member.client.list(metadataOf(type), selector);
    const ours = items.filter((item) => isOwned(item, member.ownership));
    await Promise.all(ours.map((item) => deleteByUid(member.client, type, item, signal)));
    return ours.map((item) => `${type.kind} ${objectKey(item)}`);
  });
  return (await Promise.all(removals)).flat();
}

async function leaveNamespace(member: Member, namespace: Namespace, signal: AbortSignal): Promise<Remains> {
  const name = `namespace ${objectKey(namespace)}`;
  const gone = namespace.metadata?.deletionTimestamp !== undefined;
  const foreign = gone ? undefined : await removeNamespace(member, namespace, signal);
  return foreign === undefined ? { going: [name], kept: [] } : { going: [], kept: [`${name}, which holds ${foreign}`] };
}

import type { Namespace, Node, Pod } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import { namespaces, objectKey, pods } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import { deleteNode, deletePod, drainStep } from './drain.js';
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
  readonly timeoutMs: number;
}

/** How far the leaving of a cluster has come. */
export type LeaveProgress =
  | { readonly done: false; readonly step: string }
  | {
      readonly done: true;
      /** What had to stay behind in the member; empty when nothing did. */ readonly left: readonly string[];
    };

/**
 * Takes a cluster out of the federation: pods go with their grace, then what we made in the member, then the virtual
 * nodes. A member that doesn't answer is waited for until the timeout, counted from the first step in this process.
 */
export class Leave {
  readonly #options: LeaveOptions;
  readonly #startedAt: number;

  constructor(options: LeaveOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
  }

  /** Does what can be done now; call it again until it is done. */
  async step(signal: AbortSignal): Promise<LeaveProgress> {
    const { host, virtualNodes, hostPods, member } = this.#options;
    const expired = this.#options.clock.monotonic() - this.#startedAt >= this.#options.timeoutMs;
    const remaining = await drainStep(host, virtualNodes(), hostPods(), expired);
    if (remaining > 0 && !expired) return { done: false, step: `waiting for ${remaining} pods to end` };
    const connected = member();
    if (connected?.probe.reachable !== true) {
      if (!expired) return { done: false, step: 'waiting for the member to answer' };
      return this.#finish(['everything in the member: it did not answer']);
    }
    try {
      const left = await cleanMember(connected, signal);
      if (left.waiting > 0 && !expired)
        return { done: false, step: `waiting for ${left.waiting} objects in the member` };
      return await this.#finish(left.kept);
    } catch (error) {
      if (!expired) throw error;
      return this.#finish([`objects in the member: ${errorMessage(error)}`]);
    }
  }

  async #finish(left: readonly string[]): Promise<LeaveProgress> {
    for (const node of this.#options.virtualNodes()) await deleteNode(this.#options.host, node);
    return { done: true, left };
  }
}

/** Removes what we made in the member; returns how many objects still go, and which stay for good. */
async function cleanMember(member: Member, signal: AbortSignal): Promise<{ waiting: number; kept: string[] }> {
  const selector = { labelSelector: ownedSelector(member.ownership), signal };
  const memberPods = (await member.client.list(pods, selector)).items;
  const ours = memberPods.filter((pod) => isOwned(pod, member.ownership));
  await Promise.all(ours.map((pod) => deletePod(member.client, pod, false)));
  if (ours.length > 0) return { waiting: ours.length, kept: [] };
  const ourNamespaces = (await member.client.list(namespaces, selector)).items;
  const results = await Promise.all(ourNamespaces.map((namespace) => leaveNamespace(member, namespace, signal)));
  return {
    waiting: results.filter((result) => result === 'going').length,
    kept: results.filter((result) => result !== 'going'),
  };
}

async function leaveNamespace(member: Member, namespace: Namespace, signal: AbortSignal): Promise<string> {
  if (namespace.metadata?.deletionTimestamp !== undefined) return 'going';
  const foreign = await removeNamespace(member, namespace, signal);
  return foreign === undefined ? 'going' : `namespace ${objectKey(namespace)}, which holds ${foreign}`;
}

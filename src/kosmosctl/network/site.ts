import PQueue from 'p-queue';
import type { Namespace, Node, Pod } from '../../apis/core.js';
import { isLinked, trimLinkNode } from '../../clusterlink/cluster/link-node.js';
import type { LinkCluster } from '../../clusterlink/planner/link-cluster.js';
import { isAlreadyExists, isForbidden } from '../../kube/api-error.js';
import { namespaces, nodes, pods, services } from '../../kube/resource.js';
import { errorMessage } from '../../lib/errors.js';
import { isAllowed, type RightQuestion } from '../access-review.js';
import type { CliContext } from '../context.js';
import { labelOf, nameOf } from '../fields.js';
import { isManaged } from '../managed-by.js';
import { applyObject, deleteObject, deletePodSoon, findObject } from '../objects.js';
import { bad, type Finding } from '../report/finding.js';
import type { ClusterSession } from '../session.js';
import { waitUntil } from '../wait.js';
import { floaterState, type FloaterState } from './floater-state.js';
import {
  CHECK_LABEL,
  FLOATER,
  floaterPod,
  namespaceManifest,
  serviceManifest,
  type FloaterSettings,
} from './manifests.js';
import type { SiteView } from './trial.js';

/** Calls to one API server at the same time. */
const CONCURRENCY = 16;
const CLEANUP_MS = 60_000;
/** How long the end of pods is waited for that are already told to end. */
const ENDING_MS = 15_000;
const POLL_MS = 400;

/** What whoever checks must be allowed to do in each cluster. */
const RIGHTS: readonly RightQuestion[] = [
  { group: '', resource: 'nodes', verb: 'list' },
  { group: '', resource: 'namespaces', verb: 'create' },
  { group: '', resource: 'namespaces', verb: 'patch' },
  { group: '', resource: 'pods', verb: 'list' },
  { group: '', resource: 'pods', verb: 'create' },
  { group: '', resource: 'pods', verb: 'delete' },
  { group: '', resource: 'pods', subresource: 'log', verb: 'get' },
];

/** One linked cluster while it is checked: starts floaters on its nodes, and takes them away again. */
export class Site {
  readonly session: ClusterSession;
  readonly link: LinkCluster;
  readonly settings: FloaterSettings;
  readonly #context: CliContext;
  #serviceIps: readonly string[] = [];
  #floaters: SiteView['floaters'] = [];
  #hasService = false;

  constructor(session: ClusterSession, link: LinkCluster, settings: FloaterSettings, context: CliContext) {
    this.session = session;
    this.link = link;
    this.settings = settings;
    this.#context = context;
  }

  get view(): SiteView {
    return { link: this.link, floaters: this.#floaters, serviceIps: this.#serviceIps };
  }

  /** Rights that are missing here; empty when the check can be made. */
  async missingRights(): Promise<readonly string[]> {
    const missing: string[] = [];
    for (const right of RIGHTS) {
      if (await isAllowed(this.session.client, right, this.#context.signal)) continue;
      missing.push(`${right.verb} ${right.resource}${right.subresource === undefined ? '' : `/${right.subresource}`}`);
    }
    return missing;
  }

  /** Starts a floater on each node; those that can't be are what was found. What an earlier check left goes first. */
  async start(waitMs: number, report: (running: number, wanted: number) => void): Promise<readonly Finding[]> {
    const { client } = this.session;
    const { signal, clock } = this.#context;
    const { namespace } = this.settings;
    await this.#removeLeftovers();
    const present = await findObject(client, namespaces, { name: namespace }, signal);
    // One of others stays as it is, and stays in the end.
    if (present === undefined || isOurs(present)) {
      await applyObject(client, namespaceManifest(this.settings), { signal });
    }
    const { items } = await client.list(nodes, { signal });
    const linked = items.filter((node) => isLinked(trimLinkNode(node)));
    const [ready, away] = [linked.filter(isReachable), linked.filter((node) => !isReachable(node))];
    const findings = away.map((node) => this.#bad(nameOf(node), 'the node is not ready', 'Look at its kubelet.'));
    findings.push(...(await this.#startService()), ...(await this.#createFloaters(ready)));
    const started = clock.monotonic();
    let states: readonly FloaterState[] = [];
    const failed = new Set(findings.map(({ where }) => where));
    const wanted = ready.filter((node) => !failed.has(this.#where(nameOf(node))));
    while (wanted.length > 0) {
      const { items: found } = await client.list(pods, { namespace, labelSelector: `${CHECK_LABEL}=floater`, signal });
      states = wanted.map((node) => floaterState(nameOf(node), found));
      const running = states.filter(({ ips }) => ips !== undefined).length;
      report(running, wanted.length);
      const isSettled = states.every(({ ips, final }) => ips !== undefined || final);
      if (isSettled || clock.monotonic() - started >= waitMs) break;
      await clock.sleep(POLL_MS, signal);
    }
    const ref = { namespace, name: FLOATER };
    const service = this.#hasService ? await client.get(services, ref, { signal }) : undefined;
    this.#serviceIps = service?.spec?.clusterIPs ?? [];
    this.#floaters = states.flatMap(({ node, ips }) => (ips === undefined ? [] : [{ node, ips }]));
    return [
      ...findings,
      ...states.flatMap(({ node, ips, problem, cure }) => (ips === undefined ? [this.#bad(node, problem, cure)] : [])),
    ];
  }

  /** Takes away all that the check has made here. Returns what stays behind, and why. */
  async remove(signal: AbortSignal): Promise<readonly string[]> {
    const { client } = this.session;
    const { namespace } = this.settings;
    try {
      await this.#removePods(signal);
      // Who may not delete one may not make one either; and it goes with the namespace.
      await deleteObject(client, services, { namespace, name: FLOATER }, signal).catch(ignoreForbidden);
      const found = await findObject(client, namespaces, { name: namespace }, signal);
      if (found !== undefined && isOurs(found)) await deleteObject(client, namespaces, { name: namespace }, signal);
      return [];
    } catch (error) {
      return [`${this.link.name}: namespace ${namespace} (${errorMessage(error)})`];
    }
  }

  async #removeLeftovers(): Promise<void> {
    const { client } = this.session;
    const { signal, clock } = this.#context;
    const { namespace } = this.settings;
    const wait = { clock, signal, timeoutMs: CLEANUP_MS, intervalMs: POLL_MS };
    await waitUntil(
      `the namespace ${namespace} of ${this.link.name}`,
      async () => {
        const found = await findObject(client, namespaces, { name: namespace }, signal);
        const isLeaving = found?.metadata?.deletionTimestamp !== undefined;
        return isLeaving ? { pending: 'what is left of an earlier check still goes' } : { found: true };
      },
      () => undefined,
      wait,
    );
    await this.#removePods(signal);
  }

  async #removePods(signal: AbortSignal): Promise<void> {
    const { client } = this.session;
    const { namespace } = this.settings;
    const list = async (): Promise<readonly Pod[]> =>
      (await client.list(pods, { namespace, labelSelector: CHECK_LABEL, signal })).items;
    const queue = new PQueue({ concurrency: CONCURRENCY });
    await Promise.all(
      (await list()).map((pod) => queue.add(() => deletePodSoon(client, { namespace, name: nameOf(pod) }, signal))),
    );
    const { clock } = this.#context;
    const started = clock.monotonic();
    const gone = async (): Promise<{ readonly found: true } | { readonly pending: string }> => {
      const left = await list();
      const isEnding = left.every(({ metadata }) => metadata?.deletionTimestamp !== undefined);
      // A node that is away never says that its pod has ended; it does so when it is back.
      const isEnough = left.length === 0 || (isEnding && clock.monotonic() - started >= ENDING_MS);
      return isEnough ? { found: true } : { pending: `${left.length} pods of a check are still there` };
    };
    await waitUntil(`floaters of ${this.link.name}`, gone, () => undefined, {
      ...{ clock, signal, timeoutMs: CLEANUP_MS, intervalMs: POLL_MS },
    });
  }

  async #startService(): Promise<readonly Finding[]> {
    const { client } = this.session;
    const { signal } = this.#context;
    try {
      await client.create(services, serviceManifest(this.settings), { signal }).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
      this.#hasService = true;
      return [];
    } catch (error) {
      if (!isForbidden(error)) throw error;
      const at = { where: this.link.name, what: 'service' };
      const cure = `Give a kubeconfig that may make Services there: --member-kubeconfig ${this.link.name}=FILE`;
      return [bad('warning', at, 'Services of this cluster are not tried: missing: create services', cure)];
    }
  }

  async #createFloaters(ready: readonly Node[]): Promise<readonly Finding[]> {
    const { client } = this.session;
    const { signal } = this.#context;
    const queue = new PQueue({ concurrency: CONCURRENCY });
    const results = await Promise.all(
      ready.map((node) =>
        queue.add(async (): Promise<Finding | undefined> => {
          const name = nameOf(node);
          try {
            await client.create(pods, floaterPod(this.settings, name), { signal });
            return undefined;
          } catch (error) {
            signal.throwIfAborted();
            return this.#bad(name, `no floater can be made: ${errorMessage(error)}`, 'Allow it, or use --namespace.');
          }
        }),
      ),
    );
    return results.flatMap((finding) => finding ?? []);
  }

  #where(node: string): string {
    return `${this.link.name}/${node}`;
  }

  #bad(node: string, message: string, cure: string | undefined): Finding {
    return bad('problem', { where: this.#where(node), what: 'floater' }, `not tried: ${message}`, cure);
  }
}

/** Whether an earlier check, or this one, has made it. */
function isOurs(namespace: Namespace): boolean {
  return isManaged(namespace) && labelOf(namespace, CHECK_LABEL) !== undefined;
}

function isReachable(node: Node): boolean {
  return trimLinkNode(node).ready === 'True';
}

function ignoreForbidden(error: unknown): void {
  if (!isForbidden(error)) throw error;
}

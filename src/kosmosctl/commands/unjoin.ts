import type { KubeObject, Secret as SecretObject } from '../../apis/core.js';
import { CLUSTER_FINALIZER, LINK_FINALIZER, JOINED_CLUSTER_LABEL, JOINED_HOST_LABEL } from '../../apis/names.js';
import { ApiError } from '../../kube/api-error.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { parseKubeconfig } from '../../kube/kubeconfig.js';
import { nodes, pods, secrets, serviceAccounts, type ResourceType } from '../../kube/resource.js';
import { errorMessage } from '../../lib/errors.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { clusterLeaves, letClusterGo } from '../cluster-leaves.js';
import type { CliContext } from '../context.js';
import { CliError, EXIT } from '../failure.js';
import { credentialName, memberOf } from '../join/host-objects.js';
import { identityName } from '../join/identity.js';
import {
  clusterRoleBindings,
  clusterRoles,
  daemonSets,
  deleteObject,
  findObject,
  refOf,
  roleBindings,
  roles,
} from '../objects.js';
import { explainError } from '../explain-error.js';
import { runSteps } from '../output/steps.js';
import { memberRemains, remnantNames } from '../remains.js';
import {
  clusterUid,
  openSession,
  readAccess,
  withSessions,
  type ClusterChoice,
  type ClusterSession,
} from '../session.js';
import { waitUntil, type Probed } from '../wait.js';

export interface UnjoinOptions {
  readonly name: string;
  readonly host: ClusterChoice;
  /** Of the member, when the stored token is of no use any more. */
  readonly member: ClusterChoice | undefined;
  readonly namespace: string;
  /** Don't wait for a member that doesn't answer, nor for a manager that doesn't run. */
  readonly force: boolean;
  /** Look in the end whether anything is left in the member; only when its kubeconfig was given. */
  readonly verify: boolean;
  readonly waitMs: number;
}

const IDENTITY_LIMIT_MS = 60_000;

/** Takes a member out of the federation. Running it again does what is still to be done. */
export async function unjoinCluster(options: UnjoinOptions, context: CliContext): Promise<void> {
  const host = openSession('host', readAccess('host', options.host, context));
  const left = await withSessions([host], () => new Unjoin(options, context, host).run());
  const { terminal } = context;
  if (left.length === 0) {
    terminal.err(`\nThe member ${options.name} has left.\n`);
    return;
  }
  terminal.err(`\nThe member ${options.name} has left, and this stayed behind in it:\n`);
  for (const line of left) terminal.err(`  ${line}\n`);
  context.setExitCode(EXIT.problems);
}

const IDENTITY_KINDS: readonly ResourceType<KubeObject>[] = [
  ...[clusterRoleBindings, roleBindings, roles, daemonSets],
  ...([serviceAccounts, pods] as readonly ResourceType<KubeObject>[]),
];

/** One member's way out. */
export class Unjoin {
  readonly #options: UnjoinOptions;
  readonly #context: CliContext;
  readonly #host: ClusterSession;
  readonly #left: string[] = [];

  constructor(options: UnjoinOptions, context: CliContext, host: ClusterSession) {
    this.#options = options;
    this.#context = context;
    this.#host = host;
  }

  /** Returns what stayed behind in the member. */
  async run(): Promise<readonly string[]> {
    const { name, namespace } = this.#options;
    const { signal } = this.#context;
    const cluster = await findObject(this.#host.client, clusters, { name }, signal);
    const ref = { namespace, name: credentialName(name) };
    const secret = await findObject(this.#host.client, secrets, ref, signal);
    if (cluster === undefined && secret === undefined && this.#options.member === undefined) {
      this.#context.terminal.err(`there is no member ${name}; nothing to do\n`);
      return [];
    }
    await runSteps(this.#context, [
      { title: 'Take its pods and virtual nodes out', run: (report) => this.#removeCluster(cluster, report) },
      { title: 'Remove the identity from the member', run: () => this.#removeIdentity(secret) },
      {
        title: 'Forget its token',
        run: async () => {
          await deleteObject(this.#host.client, secrets, ref, signal);
          return undefined;
        },
      },
      ...(this.#options.verify
        ? [{ title: 'Verify that nothing is left in the member', run: () => this.#verify(secret) }]
        : []),
    ]);
    return this.#left;
  }

  async #removeCluster(cluster: Cluster | undefined, report: (detail: string) => void): Promise<string | undefined> {
    if (cluster === undefined) return 'was done before';
    const { name, force, waitMs } = this.#options;
    const leaving = { name, force, waitMs, report, pendingOf };
    if (await clusterLeaves(this.#host.client, leaving, this.#context)) return undefined;
    return this.#removeByHand();
  }

  /** No manager does it, so its finalizer and nodes are removed here. */
  async #removeByHand(): Promise<string> {
    const { name } = this.#options;
    const { client } = this.#host;
    const { signal } = this.#context;
    const { items } = await client.list(nodes, { labelSelector: `kosmos.io/cluster=${name}`, signal });
    for (const node of items) await deleteObject(client, nodes, { name: node.metadata?.name ?? '' }, signal);
    const cluster = await letClusterGo(client, name, [CLUSTER_FINALIZER, LINK_FINALIZER], signal);
    this.#left.push('pods, and what they refer to, in namespaces with the label kosmos.io/cluster');
    if (cluster?.spec.clusterLinkOptions !== undefined) {
      this.#left.push('routes, devices and rules of its nodes: run "kosmos-agent uninstall" on each');
    }
    return 'by force, without a manager';
  }

  async #removeIdentity(secret: SecretObject | undefined): Promise<string | undefined> {
    const member = this.#openMember(secret);
    if (member === undefined) return 'nothing is known about it';
    try {
      return await withSessions([member], () => this.#removeRole(member));
    } catch (error) {
      // The right to remove the role is in the role itself, so that it is gone when it doesn't hold any more.
      if (this.#options.member === undefined && isRefusal(error)) return 'was done before';
      if (!this.#options.force) {
        const { message, exitCode } = explainError(error);
        const cure = 'Give a kubeconfig of the member with --kubeconfig, or leave the identity there with --force.';
        throw new CliError(message, { cure, cause: error, exitCode });
      }
      const name = identityName({ cluster: this.#options.name, hostUid: await this.#hostUid() });
      this.#left.push(`ClusterRole ${name}; remove it there with: kubectl delete clusterrole ${name}`);
      return `not removed (${errorMessage(error)})`;
    }
  }

  /** All else of the identity belongs to the role and goes with it. */
  async #removeRole(member: ClusterSession): Promise<string | undefined> {
    const { signal } = this.#context;
    const hostUid = await this.#hostUid();
    const name = identityName({ cluster: this.#options.name, hostUid });
    const deleted = await deleteObject(member.client, clusterRoles, { name }, signal);
    // With the role goes the right to look whether the rest has gone, unless somebody else looks.
    if (this.#options.member !== undefined) await this.#waitForRest(member, hostUid);
    return deleted ? undefined : 'was done before';
  }

  async #waitForRest({ client }: ClusterSession, hostUid: string): Promise<void> {
    const { signal, clock } = this.#context;
    const labelSelector = `${JOINED_HOST_LABEL}=${hostUid},${JOINED_CLUSTER_LABEL}=${this.#options.name}`;
    const probe = async (): Promise<Probed<true>> => {
      const lists = IDENTITY_KINDS.map((type) => client.list(type, { labelSelector, signal }));
      const [first] = (await Promise.all(lists)).flatMap(({ items }) => items);
      return first === undefined ? { found: true } : { pending: `${refOf(first).name} is still there` };
    };
    await waitUntil('identity', probe, () => undefined, { clock, signal, timeoutMs: IDENTITY_LIMIT_MS });
  }

  async #verify(secret: SecretObject | undefined): Promise<string> {
    const member = this.#openMember(secret);
    if (member === undefined) return 'nobody can look';
    const { name } = this.#options;
    const hostUid = await this.#hostUid();
    const { signal } = this.#context;
    const left = await withSessions([member], () => memberRemains(member.client, hostUid, name, signal));
    if (left.length === 0) return 'nothing';
    throw new CliError(`still there: ${remnantNames(left).join(', ')}`, {
      exitCode: EXIT.problems,
      cure: 'Some of it may just be going; run the command again.',
    });
  }

  #openMember(secret: SecretObject | undefined): ClusterSession | undefined {
    const { member } = this.#options;
    if (member !== undefined) return openSession('member', readAccess('member', member, this.#context));
    const kubeconfig = secret === undefined ? '' : memberOf(secret).kubeconfig;
    return kubeconfig === '' ? undefined : openSession('member', parseKubeconfig(kubeconfig));
  }

  #hostUid(): Promise<string> {
    return clusterUid(this.#host, this.#context.signal);
  }
}

/** 401 or 403: the token, or its rights, have ended. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && (error.statusCode === 401 || error.statusCode === 403);
}

function pendingOf({ status }: Cluster): Probed<true> {
  const leaving = status?.conditions?.filter(({ reason }) => reason === 'Leaving') ?? [];
  const pending = leaving.map(({ message }) => message).join('; ') || 'no manager has begun to take it out';
  return { pending, cure: 'Wait longer with --wait-time, or give it up with --force.' };
}

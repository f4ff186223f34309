import { KOSMOS_NAMESPACE } from '../../apis/names.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { leases, secrets } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { CliError, usageError } from '../failure.js';
import { waitUntil, type Probed } from '../wait.js';
import { findObject } from '../objects.js';
import { clusterUid, serverVersion, versionProblem, type ClusterSession } from '../session.js';
import { isDnsLabel } from '../../lib/label-syntax.js';
import { isAllowed } from '../access-review.js';
import { credentialName, isJoinedByUs, memberOf } from './host-objects.js';

/** What is known before a member joins. */
export interface JoinFacts {
  readonly hostUid: string;
  readonly memberUid: string;
  /** An earlier joining has stored a token. */
  readonly hasCredential: boolean;
  /** The Cluster is there already. */
  readonly isRegistered: boolean;
}

interface Wish {
  readonly name: string;
  readonly namespace: string;
}

/** So that `kosmos-<name>` fits into a label. */
const LONGEST_CLUSTER_NAME = 56;
const LEADER_LEASE = 'kosmos-manager';
const LEADER_LIMIT_MS = 20_000;

/** Why a Cluster can't have that name; undefined when it can. */
export function nameProblem(name: string): CliError | undefined {
  if (isDnsLabel(name) && name.length <= LONGEST_CLUSTER_NAME) return undefined;
  return usageError(
    `"${name}" can't be the name of a Cluster`,
    `Use at most ${LONGEST_CLUSTER_NAME} lower-case letters, digits and dashes, beginning and ending with a letter or digit.`,
  );
}

/** Checks all that can be checked before anything is changed. @throws CliError for the first thing that is wrong. */
export async function lookAtBoth(
  host: ClusterSession,
  member: ClusterSession,
  wish: Wish,
  { signal, clock }: Pick<CliContext, 'signal' | 'clock'>,
): Promise<JoinFacts> {
  const problem = nameProblem(wish.name);
  if (problem !== undefined) throw problem;
  const hostUid = await clusterUid(host, signal);
  const version = versionProblem('member', await serverVersion(member, signal));
  if (version !== undefined) throw version;
  const memberUid = await clusterUid(member, signal);
  if (memberUid === hostUid) {
    throw usageError(
      'host and member are the same cluster',
      'Name the member with --kubeconfig and --context, and the host with --host-kubeconfig and --host-context.',
    );
  }
  await checkInstallation(host, wish.namespace, { signal, clock });
  await checkRights(member, signal);
  return { hostUid, memberUid, ...(await checkName(host, wish, memberUid, signal)) };
}

/** Managers that have just been started elect their leader within seconds. */
async function checkInstallation(
  { client }: ClusterSession,
  namespace: string,
  { signal, clock }: Pick<CliContext, 'signal' | 'clock'>,
): Promise<void> {
  await client.list(clusters, { limit: 1, signal });
  const cure =
    namespace === KOSMOS_NAMESPACE
      ? 'Run "kosmosctl install", or look at: kosmosctl doctor'
      : 'Is the installation in another --namespace? Else run "kosmosctl install".';
  const probe = async (): Promise<Probed<true>> => {
    const lease = await findObject(client, leases, { namespace, name: LEADER_LEASE }, signal);
    if (lease?.spec?.holderIdentity) return { found: true };
    return { pending: `no manager of Kosmos leads in the namespace ${namespace} of the host`, cure };
  };
  await waitUntil('a manager', probe, () => undefined, { clock, signal, timeoutMs: LEADER_LIMIT_MS });
}

async function checkRights(member: ClusterSession, signal: AbortSignal): Promise<void> {
  const needed = [
    { group: 'rbac.authorization.k8s.io', resource: 'clusterroles', verb: 'create' },
    { group: 'rbac.authorization.k8s.io', resource: 'clusterroles', verb: 'escalate' },
    { group: '', resource: 'namespaces', verb: 'create' },
    { group: '', resource: 'serviceaccounts', verb: 'create' },
  ];
  for (const right of needed) {
    if (await isAllowed(member.client, right, signal)) continue;
    throw new CliError(`the kubeconfig of the member may not ${right.verb} ${right.resource} there`, {
      cure: 'Join with the kubeconfig of a cluster-admin of the member; it is not kept.',
    });
  }
}

async function checkName(
  { client }: ClusterSession,
  { name, namespace }: Wish,
  memberUid: string,
  signal: AbortSignal,
): Promise<Pick<JoinFacts, 'hasCredential' | 'isRegistered'>> {
  const cluster = await findObject(client, clusters, { name }, signal);
  const secret = await findObject(client, secrets, { namespace, name: credentialName(name) }, signal);
  const taken = 'Choose another --name, or take the present one out with: kosmosctl unjoin cluster';
  if (cluster?.metadata?.deletionTimestamp !== undefined) {
    throw new CliError(`the Cluster ${name} is just leaving`, {
      cure: 'Wait until it is gone: kosmosctl get clusters',
    });
  }
  if (cluster !== undefined && !isJoinedByUs(cluster)) {
    throw new CliError(`there is a Cluster ${name}, which was not joined by this command`, { cure: taken });
  }
  const known = secret === undefined ? undefined : memberOf(secret).uid;
  if (cluster !== undefined && known !== undefined && known !== memberUid) {
    throw new CliError(`the name ${name} belongs to another member`, { cure: taken });
  }
  return { hasCredential: secret !== undefined, isRegistered: cluster !== undefined };
}

import type { Pod } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_LABEL, HOST_UID_ANNOTATION } from '../../apis/names.js';
import { ownedSelector, ownershipOf } from '../../clustertree/cluster/ownership.js';
import { nodes, pods } from '../../kube/resource.js';
import { formatDuration } from '../../lib/duration.js';
import type { CliContext } from '../context.js';
import { linkReadinessOf } from '../join/readiness.js';
import { openMember, type MemberSession } from '../member-session.js';
import { serverVersion, versionProblem, withSessions, type ClusterSession } from '../session.js';
import { bad, look, ok, type Finding } from './finding.js';

/** A token that is renewed after half of its life, and has less than this left, is not being renewed. */
const LEAST_LEFT = 0.3;
const HOUR_MS = 3_600_000;

/** Everything about one member. */
export async function memberFindings(
  host: ClusterSession,
  cluster: Cluster,
  hostUid: string,
  context: CliContext,
): Promise<readonly Finding[]> {
  const where = cluster.metadata?.name ?? '';
  const findings = [
    readyFinding(cluster),
    ...linkFindings(cluster),
    ...(await virtualNodeFindings(host, where, context)),
  ];
  const inside = await look(where, 'member', async () => {
    const member = await openMember(host, cluster, context.signal);
    return withSessions([member], () => insideFindings(host, member, { where, hostUid, context }));
  });
  return [...findings, ...inside];
}

/** What the manager itself says about the member. */
export function readyFinding({ metadata, status }: Cluster): Finding {
  const at = { where: metadata?.name ?? '', what: 'Cluster' };
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return ok(at.where, at.what, ready.reason);
  const said = ready === undefined ? 'no manager has looked at it' : `${ready.reason}: ${ready.message}`;
  return bad('problem', at, said, `See docs/clusters.md for the reason, or: kosmosctl describe cluster ${at.where}`);
}

/** What the manager says about the network of a cluster; nothing about one that is not linked. */
export function linkFindings({ metadata, spec, status }: Cluster): readonly Finding[] {
  const at = { where: metadata?.name ?? '', what: 'network' };
  if (spec.clusterLinkOptions === undefined || spec.clusterLinkOptions.enable === false) return [];
  const probed = linkReadinessOf({ status });
  if ('found' in probed) return [ok(at.where, at.what, probed.found)];
  return [bad('problem', at, probed.pending, probed.cure ?? `See: kosmosctl describe cluster ${at.where}`)];
}

async function virtualNodeFindings(
  { client }: ClusterSession,
  where: string,
  { signal }: CliContext,
): Promise<readonly Finding[]> {
  const { items } = await client.list(nodes, { labelSelector: `${CLUSTER_LABEL}=${where}`, signal });
  const lists = await Promise.all(
    items.map(({ metadata }) =>
      look(where, 'kubelet API', async () => {
        const name = metadata?.name ?? '';
        // The host's API server goes the way that kubectl logs and exec go.
        await client.getPath(`/api/v1/nodes/${name}/proxy/healthz`, { signal });
        return ok(where, 'kubelet API', `${name} answers the API server of the host`);
      }),
    ),
  );
  return lists.flat();
}

interface Inside {
  readonly where: string;
  readonly hostUid: string;
  readonly context: CliContext;
}

async function insideFindings(
  host: ClusterSession,
  member: MemberSession,
  { where, hostUid, context }: Inside,
): Promise<readonly Finding[]> {
  const { signal } = context;
  const version = await serverVersion(member, signal);
  const unsupported = versionProblem(where, version);
  const owned = { labelSelector: ownedSelector(ownershipOf(hostUid, where)), signal };
  const [hostPods, memberPods, now] = await Promise.all([
    host.client.list(pods, { fieldSelector: 'spec.nodeName!=', signal }),
    member.client.list(pods, owned),
    member.client.serverTime({ signal }),
  ]);
  return [
    unsupported === undefined
      ? ok(where, 'version', `Kubernetes ${version}`)
      : bad('warning', { where, what: 'version' }, unsupported.message, unsupported.cure),
    tokenFinding(where, member, now),
    orphanFinding(where, hostPods.items, memberPods.items),
  ];
}

function tokenFinding(where: string, { token }: MemberSession, now: number): Finding {
  if (token === undefined) return ok(where, 'credential', 'not a token that ends');
  const left = token.expiresAtMs - now;
  const what = 'credential';
  const message = `the token of ${token.namespace}/${token.name} is good for ${formatDuration(Math.max(0, Math.floor(left / HOUR_MS)) * HOUR_MS)}`;
  if (left > LEAST_LEFT * (token.expiresAtMs - token.issuedAtMs)) return ok(where, what, message);
  return bad(
    'problem',
    { where, what },
    `${message} and is not being renewed`,
    'Join the member again; nothing is restarted by that.',
  );
}

/** Pods of ours in a member that no pod of the host stands for; the manager removes them within a minute. */
export function orphanFinding(where: string, hostPods: readonly Pod[], memberPods: readonly Pod[]): Finding {
  const known = new Set(hostPods.map(({ metadata }) => metadata?.uid));
  const orphans = memberPods.filter(
    ({ metadata }) =>
      metadata?.deletionTimestamp === undefined && !known.has(metadata?.annotations?.[HOST_UID_ANNOTATION]),
  );
  const [first] = orphans;
  if (first === undefined) return ok(where, 'pods', `${memberPods.length}, and each belongs to one of the host`);
  const name = `${first.metadata?.namespace ?? ''}/${first.metadata?.name ?? ''}`;
  const cure = 'The manager removes them within a minute; if not, look at its log.';
  return bad('warning', { where, what: 'pods' }, `${orphans.length} belong to none of the host, ${name} for one`, cure);
}

import { isLinkWanted } from '../../clusterlink/cluster/link-config.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { serviceCidrs } from '../../kube/network-resources.js';
import { nodes } from '../../kube/resource.js';
import { JOINED_CLUSTER_LABEL, JOINED_HOST_LABEL } from '../../apis/names.js';
import { CliError } from '../failure.js';
import { AGENT } from '../manifests/labels.js';
import { daemonSets, findObject, listIfServed } from '../objects.js';
import { podCidrsOf } from '../report/cidr-overlap.js';
import { linkOverlap, rangesOf } from '../report/link-overlap.js';
import type { ClusterSession } from '../session.js';
import type { MemberIdentity } from './identity.js';

/** Checks what can be known of a network before it is linked. @throws CliError for the first thing that is wrong */
export async function checkNetwork(
  host: ClusterSession,
  member: ClusterSession,
  identity: MemberIdentity,
  { globalCidrs, signal }: { readonly globalCidrs: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<void> {
  await checkAgents(member, identity, signal);
  const [{ items: all }, { items: itsNodes }, ranges] = await Promise.all([
    host.client.list(clusters, { signal }),
    member.client.list(nodes, { signal }),
    listIfServed(member.client, serviceCidrs, { signal }),
  ]);
  const cidrs = [...podCidrsOf(itsNodes), ...ranges.flatMap(({ spec }) => spec?.cidrs ?? [])];
  const own = { name: identity.cluster, cidrs, globalCidrs };
  const overlap = linkOverlap(own, all.filter(isLinkWanted).map(rangesOf));
  if (overlap === undefined) return;
  throw new CliError(`${overlap.own} of the member overlaps with ${overlap.other} of the Cluster ${overlap.cluster}`, {
    cure:
      `Let others see ${overlap.own}, or a range around it, as one of the same size that nobody has: --global-cidr ` +
      `OWN=GLOBAL; or do so in spec.clusterLinkOptions.globalCIDRsMap of ${overlap.cluster}; or join with --enable-tree.`,
  });
}

/** The agents of two federations would undo each other's work. */
async function checkAgents({ client }: ClusterSession, identity: MemberIdentity, signal: AbortSignal): Promise<void> {
  const present = await findObject(client, daemonSets, { namespace: identity.namespace, name: AGENT }, signal);
  if (present === undefined) return;
  const { [JOINED_HOST_LABEL]: host, [JOINED_CLUSTER_LABEL]: cluster } = present.metadata?.labels ?? {};
  if (host === identity.hostUid && cluster === identity.cluster) return;
  throw new CliError(`the network of the member is linked already, as ${cluster ?? 'something else'}`, {
    cure: 'Join with --enable-tree alone, or take the other one out first.',
  });
}

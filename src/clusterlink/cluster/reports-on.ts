import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { LinkMember } from './link-member.js';

/** NodeConfigs by the names of the Clusters whose nodes their agents report on. */
export const REPORTS_ON_INDEX = 'reportsOn';

/** The indexer of {@link REPORTS_ON_INDEX}: who probes a node of a cluster, or goes through one of its gateways. */
export function reportsOn({ status }: NodeConfig): readonly string[] {
  const probed = (status?.peers ?? []).map(({ name }) => name.slice(0, Math.max(0, name.indexOf('/'))));
  const used = (status?.activeGateways ?? []).map(({ clusterName }) => clusterName);
  return [...new Set([...probed, ...used])];
}

/** What agents of these clusters report on the nodes of one; those that have gone silent since say nothing any more. */
export function reportsFrom(
  members: Iterable<Pick<LinkMember, 'nodeConfigs' | 'agents'>>,
  cluster: string,
): readonly NodeConfig[] {
  return [...members].flatMap(({ nodeConfigs, agents }) =>
    [...nodeConfigs.store.byIndex(REPORTS_ON_INDEX, cluster)].filter(
      ({ spec }) => !agents.isSilent(spec.nodeName ?? ''),
    ),
  );
}

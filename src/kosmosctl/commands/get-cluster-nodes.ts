import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import { clusterNodes } from '../../kube/kosmos-resources.js';
import type { CliContext } from '../context.js';
import { nameOf, shown } from '../fields.js';
import { ageOf, renderTable } from '../output/table.js';
import { openSession, readAccess, withSessions } from '../session.js';
import { notFound, printFound } from './found.js';
import type { GetOptions } from './get.js';

/** Prints the nodes of linked clusters, as the host knows them. */
export async function getClusterNodes(options: GetOptions, context: CliContext): Promise<void> {
  const { name, cluster, format } = options;
  const session = openSession('host', readAccess('host', options.host, context));
  const found = await withSessions([session], async () => {
    const { items } = await session.client.list(clusterNodes, { signal: context.signal });
    const chosen = items.filter(
      (node) =>
        (name === undefined || nameOf(node) === name) && (cluster === undefined || node.spec.clusterName === cluster),
    );
    if (name !== undefined && chosen.length === 0) throw notFound('ClusterNode', name);
    return chosen;
  });
  const now = context.clock.now();
  const wide = format === 'wide';
  const head = [
    ...['NAME', 'CLUSTER', 'NODE', 'ROLES', 'INTERFACE', 'IP', 'AGE'],
    ...(wide ? ['IPV6', 'MTU', 'STANDBY', 'POD CIDRS'] : []),
  ];
  const rows = found.map((node) => [
    ...[nameOf(node), shown(node.spec.clusterName), shown(node.spec.nodeName), shown(node.spec.roles?.join(','))],
    ...[shown(node.spec.interfaceName), shown(node.spec.ip), ageOf(node.metadata?.creationTimestamp, now)],
    ...(wide ? detailsOf(node) : []),
  ]);
  printFound(
    { resource: 'clusternode.kosmos.io', objects: found, table: () => renderTable(head, rows) },
    options,
    context,
  );
}

function detailsOf({ spec }: ClusterNode): readonly string[] {
  return [shown(spec.ip6), shown(spec.mtu), shown(spec.standbyOrder), shown(spec.podCIDRs?.join(','))];
}

import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import { CLUSTER_LABEL } from '../../apis/names.js';
import { hasApplied } from '../../clusterlink/cluster/link-condition.js';
import { isLinkRegistered, isLinkWanted } from '../../clusterlink/cluster/link-config.js';
import { clusters, nodeConfigs } from '../../kube/kosmos-resources.js';
import { errorMessage } from '../../lib/errors.js';
import type { CliContext } from '../context.js';
import { CliError } from '../failure.js';
import { nameOf, shown } from '../fields.js';
import { openCluster } from '../member-session.js';
import { findObject } from '../objects.js';
import { ageOf, renderTable } from '../output/table.js';
import { openSession, readAccess, withSessions, type ClusterSession } from '../session.js';
import { notFound, printFound } from './found.js';
import type { GetOptions } from './get.js';

/** What of a cluster could be read, or why it could not. */
interface Read {
  readonly cluster: string;
  readonly configs: readonly NodeConfig[];
  readonly problem?: string;
}

/**
 * Prints what was planned for nodes, and how far they are. It is kept in each node's own cluster; one that can't be read
 * is an error at the end, and doesn't keep the others from being shown.
 */
export async function getNodeConfigs(options: GetOptions, context: CliContext): Promise<void> {
  const { name, format } = options;
  const host = openSession('host', readAccess('host', options.host, context));
  const reads = await withSessions([host], async () => {
    const asked = await linkedClusters(host, options.cluster, context.signal);
    return Promise.all(asked.map((cluster) => readConfigs(host, cluster, context.signal)));
  });
  const found = reads
    .flatMap(({ cluster, configs }) => configs.map((config) => ({ cluster, config })))
    .filter(({ config }) => name === undefined || nameOf(config) === name);
  const problems = reads.flatMap(({ cluster, problem }) => (problem === undefined ? [] : [`${cluster}: ${problem}`]));
  if (name !== undefined && found.length === 0 && problems.length === 0) throw notFound('NodeConfig', name);
  const now = context.clock.now();
  const wide = format === 'wide';
  const head = ['NAME', 'CLUSTER', 'NODE', 'APPLIED', 'ERRORS', 'PEERS', 'DRIFT', 'AGE', ...(wide ? ['GATEWAYS'] : [])];
  const rows = found.map(({ cluster, config }) => configRow(config, cluster, { now, wide }));
  printFound(
    {
      resource: 'nodeconfig.kosmos.io',
      objects: found.map(({ config }) => config),
      table: () => renderTable(head, rows),
    },
    options,
    context,
  );
  if (problems.length === 0) return;
  throw new CliError(`the NodeConfigs of some clusters can't be read: ${problems.join('; ')}`, {
    cure: 'See what is wrong with them: kosmosctl doctor',
  });
}

async function linkedClusters(
  host: ClusterSession,
  name: string | undefined,
  signal: AbortSignal,
): Promise<readonly Cluster[]> {
  if (name === undefined) {
    const { items } = await host.client.list(clusters, { signal });
    return items.filter((cluster) => isLinkWanted(cluster) || isLinkRegistered(cluster));
  }
  const one = await findObject(host.client, clusters, { name }, signal);
  if (one === undefined) throw notFound('Cluster', name);
  return [one];
}

async function readConfigs(host: ClusterSession, cluster: Cluster, signal: AbortSignal): Promise<Read> {
  const name = nameOf(cluster);
  try {
    const session = await openCluster(host, cluster, signal);
    const labelSelector = `${CLUSTER_LABEL}=${name}`;
    const list = await withSessions([session], () => session.client.list(nodeConfigs, { labelSelector, signal }));
    return { cluster: name, configs: list.items };
  } catch (error) {
    signal.throwIfAborted();
    return { cluster: name, configs: [], problem: errorMessage(error) };
  }
}

function configRow(
  config: NodeConfig,
  cluster: string,
  { now, wide }: { readonly now: number; readonly wide: boolean },
): readonly string[] {
  const { metadata, spec, status = {} } = config;
  const { peers = [], activeGateways = [] } = status;
  const reached = peers.filter(({ reachable }) => reachable).length;
  return [
    ...[nameOf(config), cluster, shown(spec.nodeName)],
    ...[appliedOf(config), String(status.errors?.length ?? 0), peers.length === 0 ? '' : `${reached}/${peers.length}`],
    ...[shown(status.driftRepaired), ageOf(metadata?.creationTimestamp, now)],
    ...(wide ? [activeGateways.map(({ clusterName, nodeName }) => `${clusterName}/${nodeName}`).join(',')] : []),
  ];
}

/** Whether the node's kernel is as this config says; `Unknown` before its agent has said anything. */
function appliedOf(config: NodeConfig): string {
  if (config.status?.observedGeneration === undefined) return 'Unknown';
  return hasApplied(config) ? 'True' : 'False';
}

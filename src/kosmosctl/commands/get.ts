import type { Node } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_LABEL, NODE_LABEL } from '../../apis/names.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { nodes } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { conditionOf, isReady, labelOf, nameOf, shown } from '../fields.js';
import { findObject } from '../objects.js';
import { notFound, printFound } from './found.js';
import type { Format } from '../output/format.js';
import { ageOf, renderTable } from '../output/table.js';
import { openSession, readAccess, withSessions, type ClusterChoice } from '../session.js';

export interface GetOptions {
  readonly host: ClusterChoice;
  readonly name: string | undefined;
  readonly format: Format | undefined;
  /** Only those of this Cluster; for what belongs to one. */
  readonly cluster?: string | undefined;
}

/** Prints the members. */
export async function getClusters(options: GetOptions, context: CliContext): Promise<void> {
  const session = openSession('host', readAccess('host', options.host, context));
  const found = await withSessions([session], async () => {
    if (options.name === undefined) return (await session.client.list(clusters, { signal: context.signal })).items;
    const one = await findObject(session.client, clusters, { name: options.name }, context.signal);
    if (one === undefined) throw notFound('Cluster', options.name);
    return [one];
  });
  const now = context.clock.now();
  const rows = found.map((cluster) => clusterRow(cluster, now, options.format === 'wide'));
  const table = (): string => renderTable(clusterHead(options.format === 'wide'), rows);
  printFound({ resource: 'cluster.kosmos.io', objects: found, table }, options, context);
}

function clusterHead(wide: boolean): readonly string[] {
  return ['NAME', 'READY', 'VERSION', 'NODES', 'MODE', 'AGE', ...(wide ? ['REASON', 'VIRTUAL NODES'] : [])];
}

function clusterRow(cluster: Cluster, now: number, wide: boolean): readonly string[] {
  const { status } = cluster;
  const ready = conditionOf(cluster, 'Ready');
  const row = [
    nameOf(cluster),
    shown(ready?.status, 'Unknown'),
    shown(status?.kubernetesVersion),
    shown(status?.nodes?.summary),
    shown(status?.mode),
    ageOf(cluster.metadata?.creationTimestamp, now),
  ];
  return wide ? [...row, shown(ready?.reason), virtualNodesOf(cluster).join(',')] : row;
}

function virtualNodesOf({ status }: Cluster): readonly string[] {
  return (status?.clusterTreeStatus?.leafNodeItems ?? []).map(({ leafNodeName }) => leafNodeName);
}

/** Prints the virtual nodes. */
export async function getNodes(options: GetOptions, context: CliContext): Promise<void> {
  const { name, cluster } = options;
  const session = openSession('host', readAccess('host', options.host, context));
  const labelSelector = [
    `${NODE_LABEL}=true`,
    ...(cluster === undefined ? [] : [`${CLUSTER_LABEL}=${cluster}`]),
  ].join();
  const found = await withSessions([session], async () => {
    const { items } = await session.client.list(nodes, { labelSelector, signal: context.signal });
    const chosen = name === undefined ? items : items.filter(({ metadata }) => metadata?.name === name);
    if (name !== undefined && chosen.length === 0) throw notFound('virtual node', name);
    return chosen;
  });
  const wide = options.format === 'wide';
  const head = [
    'NAME',
    'STATUS',
    'CLUSTER',
    'VERSION',
    'CPU',
    'MEMORY',
    'PODS',
    'AGE',
    ...(wide ? ['ADDRESS', 'PORT'] : []),
  ];
  const now = context.clock.now();
  const table = (): string =>
    renderTable(
      head,
      found.map((node) => nodeRow(node, now, wide)),
    );
  printFound({ resource: 'node', objects: found, table }, options, context);
}

function nodeRow(node: Node, now: number, wide: boolean): readonly string[] {
  const { cpu = '', memory = '', pods = '' } = node.status?.allocatable ?? {};
  const row = [
    nameOf(node),
    stateOf(node),
    shown(labelOf(node, CLUSTER_LABEL)),
    shown(node.status?.nodeInfo?.kubeletVersion),
    ...[cpu, memory, pods],
    ageOf(node.metadata?.creationTimestamp, now),
  ];
  return wide ? [...row, ...kubeletOf(node)] : row;
}

function stateOf(node: Node): string {
  const state = isReady(node) ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable === true ? `${state},SchedulingDisabled` : state;
}

function kubeletOf({ status }: Node): readonly string[] {
  return [shown(status?.addresses?.[0]?.address), shown(status?.daemonEndpoints?.kubeletEndpoint?.Port)];
}

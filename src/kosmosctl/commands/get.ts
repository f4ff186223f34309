import type { Node } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_LABEL, NODE_LABEL } from '../../apis/names.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { nodes } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { CliError } from '../failure.js';
import { findObject, refOf } from '../objects.js';
import { renderObjects, type Format } from '../output/format.js';
import { ageOf, renderTable } from '../output/table.js';
import { openSession, readAccess, withSessions, type ClusterChoice } from '../session.js';

export interface GetOptions {
  readonly host: ClusterChoice;
  readonly name: string | undefined;
  readonly format: Format | undefined;
  /** For nodes: only those of this Cluster. */
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
  print('cluster.kosmos.io', found, options, context, () => renderTable(clusterHead(options.format === 'wide'), rows));
}

function clusterHead(wide: boolean): readonly string[] {
  return ['NAME', 'READY', 'VERSION', 'NODES', 'MODE', 'AGE', ...(wide ? ['REASON', 'VIRTUAL NODES'] : [])];
}

function clusterRow({ metadata, status }: Cluster, now: number, wide: boolean): readonly string[] {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const virtual = status?.clusterTreeStatus?.leafNodeItems?.map(({ leafNodeName }) => leafNodeName) ?? [];
  return [
    metadata?.name ?? '',
    ready?.status ?? 'Unknown',
    status?.kubernetesVersion ?? '',
    status?.nodes?.summary ?? '',
    status?.mode ?? '',
    ageOf(metadata?.creationTimestamp, now),
    ...(wide ? [ready?.reason ?? '', virtual.join(',')] : []),
  ];
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
  print('node', found, options, context, () =>
    renderTable(
      head,
      found.map((node) => nodeRow(node, now, wide)),
    ),
  );
}

function nodeRow({ metadata, spec, status }: Node, now: number, wide: boolean): readonly string[] {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const { cpu = '', memory = '', pods = '' } = status?.allocatable ?? {};
  return [
    metadata?.name ?? '',
    `${ready?.status === 'True' ? 'Ready' : 'NotReady'}${spec?.unschedulable === true ? ',SchedulingDisabled' : ''}`,
    metadata?.labels?.[CLUSTER_LABEL] ?? '',
    status?.nodeInfo?.kubeletVersion ?? '',
    ...[cpu, memory, pods],
    ageOf(metadata?.creationTimestamp, now),
    ...(wide
      ? [status?.addresses?.[0]?.address ?? '', String(status?.daemonEndpoints?.kubeletEndpoint?.Port ?? '')]
      : []),
  ];
}

function print(
  resource: string,
  found: readonly (Cluster | Node)[],
  { format, name }: GetOptions,
  { terminal }: CliContext,
  table: () => string,
): void {
  if (format === 'json' || format === 'yaml')
    terminal.out(renderObjects(found.map(withoutNoise), format, name !== undefined));
  else if (format === 'name') terminal.out(found.map((object) => `${resource}/${refOf(object).name}\n`).join(''));
  else if (found.length === 0) terminal.err('No resources found\n');
  else terminal.out(table());
}

/** Nothing for people is in these fields, and an inline kubeconfig is not to be shown. */
function withoutNoise<T extends Cluster | Node>(object: T): T {
  const { managedFields: _managed, ...metadata } = object.metadata ?? {};
  const { kubeconfig, ...spec } = (object.spec ?? {}) as { kubeconfig?: string };
  return { ...object, metadata, spec: { ...spec, ...(kubeconfig !== undefined && { kubeconfig: '[redacted]' }) } };
}

/** As kubectl says it. */
function notFound(kind: string, name: string): CliError {
  return new CliError(`there is no ${kind} "${name}"`, {
    cure: 'See what there is: kosmosctl get clusters, kosmosctl get nodes',
  });
}

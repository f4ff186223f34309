import type { Event, Node, Secret as SecretObject } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_LABEL } from '../../apis/names.js';
import { events, nodes, pods, secrets } from '../../kube/resource.js';
import { readServiceAccountToken } from '../../kube/service-account-token.js';
import { tokenOf } from '../../kube/token-kubeconfig.js';
import type { CliContext } from '../context.js';
import { conditionOf, nameOf, shown } from '../fields.js';
import { memberOf } from '../join/host-objects.js';
import { requireCluster } from '../member-session.js';
import { findObject } from '../objects.js';
import { inOrder, timeOf } from '../report/event-order.js';
import { ageOf, renderTable } from '../output/table.js';
import { openSession, readAccess, withSessions, type ClusterChoice } from '../session.js';

export interface DescribeOptions {
  readonly host: ClusterChoice;
  readonly name: string;
}

interface Facts {
  readonly cluster: Cluster;
  readonly nodes: readonly Node[];
  readonly podCounts: ReadonlyMap<string, number>;
  readonly secret: SecretObject | undefined;
  readonly events: readonly Event[];
}

/** Prints everything about a member. */
export async function describeCluster({ host, name }: DescribeOptions, context: CliContext): Promise<void> {
  const session = openSession('host', readAccess('host', host, context));
  const { signal } = context;
  const facts = await withSessions([session], async (): Promise<Facts> => {
    const { client } = session;
    const cluster = await requireCluster(session, name, signal);
    const virtual = (await client.list(nodes, { labelSelector: `${CLUSTER_LABEL}=${name}`, signal })).items;
    const counts = virtual.map(async ({ metadata }) => {
      const fieldSelector = `spec.nodeName=${metadata?.name ?? ''}`;
      return [metadata?.name ?? '', (await client.list(pods, { fieldSelector, signal })).items.length] as const;
    });
    const reference = cluster.spec.kubeconfigSecretRef;
    const fieldSelector = `involvedObject.kind=Cluster,involvedObject.name=${name}`;
    return {
      cluster,
      nodes: virtual,
      podCounts: new Map(await Promise.all(counts)),
      secret:
        reference === undefined
          ? undefined
          : await findObject(client, secrets, { namespace: 'kosmos-system', ...reference }, signal),
      events: (await client.list(events, { fieldSelector, signal })).items,
    };
  });
  context.terminal.out(render(facts, context.clock.now()));
}

function render({ cluster, nodes: virtual, podCounts, secret, events: all }: Facts, now: number): string {
  const { metadata, spec, status } = cluster;
  const rows = [
    ['Name:', nameOf(cluster)],
    ['Age:', ageOf(metadata?.creationTimestamp, now)],
    ['Kubernetes:', shown(status?.kubernetesVersion, '<unknown>')],
    ['Mode:', shown(status?.mode, '<unknown>')],
    ['Nodes:', shown(status?.nodes?.summary, '<unknown>')],
    ['Credential:', credentialOf(spec, secret)],
  ];
  const conditions = (status?.conditions ?? []).map(({ type, status: state, reason, message, lastTransitionTime }) => [
    ...[type, state, reason, ageOf(lastTransitionTime, now), message],
  ]);
  const nodeRows = virtual.map((node) => {
    const name = nameOf(node);
    const ready = shown(conditionOf(node, 'Ready')?.status, 'Unknown');
    return [name, ready, shown(podCounts.get(name), '0'), shown(node.status?.capacity?.['pods'])];
  });
  const eventRows = inOrder(all).map((event) => {
    const { type, reason, message } = event;
    return [ageOf(timeOf(event), now), shown(type), shown(reason), shown(message)];
  });
  return [
    rows.map(([key = '', content = '']) => `${key.padEnd(13)}${content}\n`).join(''),
    ...block('Conditions', ['TYPE', 'STATUS', 'REASON', 'SINCE', 'MESSAGE'], conditions),
    ...block('Virtual nodes', ['NAME', 'READY', 'PODS', 'CAPACITY'], nodeRows),
    ...block('Events', ['AGE', 'TYPE', 'REASON', 'MESSAGE'], eventRows),
  ].join('');
}

function block(title: string, head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [`\n${title}: <none>\n`];
  const table = renderTable(head, rows).trimEnd();
  return [`\n${title}:\n`, ...table.split('\n').map((line) => `  ${line}\n`)];
}

/** Where it is and how long it is good, never what it is. */
function credentialOf(spec: Cluster['spec'], secret: SecretObject | undefined): string {
  const { kubeconfigSecretRef: reference } = spec;
  if (reference === undefined) return 'kubeconfig in the Cluster itself';
  const name = `Secret ${reference.namespace ?? 'kosmos-system'}/${reference.name}`;
  if (secret === undefined) return `${name}, which is missing`;
  const token = readServiceAccountToken(tokenOf(memberOf(secret).kubeconfig) ?? '');
  if (token === undefined) return name;
  return `${name}, token of ${token.namespace}/${token.name} until ${new Date(token.expiresAtMs).toISOString()}`;
}

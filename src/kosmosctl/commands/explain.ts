import type { Event, Node, Pod } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_LABEL, NODE_LABEL } from '../../apis/names.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { events, nodes, pods } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { explainError } from '../explain-error.js';
import { CliError } from '../failure.js';
import { conditionOf, isReady, nameOf, shown } from '../fields.js';
import { openMember } from '../member-session.js';
import { findObject } from '../objects.js';
import { renderDocument } from '../output/format.js';
import { ageOf } from '../output/table.js';
import { inOrder, timeOf } from '../report/event-order.js';
import { explainPod, type Explanation, type PodFacts } from '../report/placement.js';
import { openSession, readAccess, withSessions, type ClusterChoice, type ClusterSession } from '../session.js';

export interface ExplainOptions {
  readonly host: ClusterChoice;
  readonly namespace: string;
  readonly name: string;
  readonly format: 'json' | 'yaml' | undefined;
}

/** Says why a pod is where it is, and what each side knows of it. */
export async function explain(options: ExplainOptions, context: CliContext): Promise<void> {
  const host = openSession('host', readAccess('host', options.host, context));
  const facts = await withSessions([host], () => readFacts(host, options, context.signal));
  const explanation = explainPod(facts);
  const { terminal } = context;
  if (options.format === undefined) terminal.out(renderText(options, facts, explanation, context.clock.now()));
  else terminal.out(renderDocument(documentOf(options, facts, explanation), options.format));
}

async function readFacts(
  host: ClusterSession,
  { namespace, name }: ExplainOptions,
  signal: AbortSignal,
): Promise<PodFacts> {
  const { client } = host;
  const pod = await findObject(client, pods, { namespace, name }, signal);
  if (pod === undefined) {
    throw new CliError(`there is no pod ${name} in the namespace ${namespace} of the host`, {
      cure: 'Name its namespace with --namespace.',
    });
  }
  const node = pod.spec?.nodeName ? await findObject(client, nodes, { name: pod.spec.nodeName }, signal) : undefined;
  const cluster = await clusterOf(client, node, signal);
  const virtual = await client.list(nodes, { labelSelector: `${NODE_LABEL}=true`, limit: 1, signal });
  const fieldSelector = `involvedObject.uid=${pod.metadata?.uid ?? ''}`;
  const found = await client.list(events, { namespace, fieldSelector, signal });
  return {
    ...{ pod, node, cluster, hasVirtualNodes: virtual.items.length > 0, events: inOrder(found.items) },
    ...(await readMember(host, cluster, { namespace, name }, signal)),
  };
}

async function clusterOf(
  client: ClusterSession['client'],
  node: Node | undefined,
  signal: AbortSignal,
): Promise<Cluster | undefined> {
  const name = node?.metadata?.labels?.[CLUSTER_LABEL];
  return name === undefined ? undefined : findObject(client, clusters, { name }, signal);
}

async function readMember(
  host: ClusterSession,
  cluster: Cluster | undefined,
  ref: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Pick<PodFacts, 'memberPod' | 'memberProblem'>> {
  if (cluster === undefined) return { memberPod: undefined };
  try {
    const member = await openMember(host, cluster, signal);
    return await withSessions([member], async () => ({
      memberPod: (await findObject(member.client, pods, ref, signal)) ?? null,
    }));
  } catch (error) {
    return { memberPod: undefined, memberProblem: explainError(error).message };
  }
}

function documentOf(options: ExplainOptions, facts: PodFacts, explanation: Explanation): unknown {
  const { pod, memberPod, cluster } = facts;
  return {
    pod: `${options.namespace}/${options.name}`,
    node: shown(pod.spec?.nodeName) || null,
    cluster: nameOf(cluster) || null,
    host: sideDocument(pod),
    member: memberPod ? sideDocument(memberPod) : null,
    ...explanation,
  };
}

function sideDocument({ spec, status }: Pod): unknown {
  return { phase: status?.phase ?? null, podIP: status?.podIP ?? null, node: spec?.nodeName ?? null };
}

const SHOWN_EVENTS = 8;

function renderText(options: ExplainOptions, facts: PodFacts, explanation: Explanation, now: number): string {
  const { pod, memberPod, cluster, events: all } = facts;
  const member = cluster?.metadata?.name ?? 'the member';
  const lines = [
    `${options.namespace}/${options.name}: ${explanation.verdict}`,
    '',
    `  node       ${pod.spec?.nodeName ?? '<none>'}`,
    `  in host    ${sideOf(pod, now)}`,
    ...(memberPod
      ? [`  in ${member.padEnd(7)} ${sideOf(memberPod, now)}, on ${memberPod.spec?.nodeName ?? '<no node>'}`]
      : []),
    ...section('Why', explanation.reasons),
    ...section('What to do', explanation.cures),
    ...section(
      'Events',
      all.slice(-SHOWN_EVENTS).map((event) => eventLine(event, now)),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function sideOf(pod: Pod, now: number): string {
  const changed = conditionOf(pod, 'Ready')?.lastTransitionTime;
  const since = changed === undefined ? '' : ` since ${ageOf(changed, now)}`;
  const leaving = pod.metadata?.deletionTimestamp === undefined ? [] : ['being deleted'];
  const state = `${isReady(pod) ? 'ready' : 'not ready'}${since}`;
  return [shown(pod.status?.phase, 'Unknown'), state, ...addressOf(pod), ...leaving].join(', ');
}

function addressOf({ status }: Pod): readonly string[] {
  return status?.podIP === undefined ? [] : [status.podIP];
}

function eventLine(event: Event, now: number): string {
  return `${ageOf(timeOf(event), now).padEnd(5)} ${event.type ?? ''} ${event.reason ?? ''}: ${event.message ?? ''}`;
}

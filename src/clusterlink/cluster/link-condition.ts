import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { ConnectionProblem } from '../../clustertree/cluster/connection-registry.js';
import type { LinkCondition, LinkReason } from './link-status.js';
import type { Obstacle } from './obstacles.js';

/** How far a linked cluster is. */
export interface LinkState {
  /** Why there is no connection. */
  readonly invalid: ConnectionProblem | undefined;
  readonly connected: boolean;
  /** Whether what is in the cluster is known. */
  readonly synced: boolean;
  /** Why that can't be known or kept up to date. */
  readonly problem: string | undefined;
  /** Ranges that the cluster doesn't tell. */
  readonly missing: readonly string[];
  /** What the planner found wrong, for instance ranges that two Clusters share; each message names both. */
  readonly planProblems: readonly string[];
  /** What keeps us from writing what was planned. */
  readonly obstacles: readonly Obstacle[];
  /** Names of the nodes that take part. */
  readonly nodes: readonly string[];
  /** Those of them that have been planned for: their agents have reported their addresses. */
  readonly planned: ReadonlySet<string>;
  readonly configs: ReadonlyMap<string, NodeConfig>;
  /** Those whose agents do not renew their Leases any more. */
  readonly silent: readonly string[];
  readonly needsGateway: boolean;
  readonly gateway: string | undefined;
}

const NAMED_NODES = 5;
const NAMED_OBSTACLES = 3;

/** The condition `ClusterLinkReady` that a state means; the first thing that is wrong decides. */
export function linkCondition(state: LinkState): LinkCondition {
  const { invalid, connected, synced, problem, missing, planProblems, obstacles } = state;
  if (invalid !== undefined) return wrong(invalid.reason, invalid.message);
  if (problem !== undefined) return { status: 'Unknown', reason: 'ListFailed', message: problem };
  if (!connected || !synced) {
    return { status: 'Unknown', reason: 'Connecting', message: 'the nodes of the cluster are not known yet' };
  }
  if (missing.length > 0) return wrong('CIDRsMissing', missing.join('; '));
  if (planProblems.length > 0) return wrong('PlanProblem', planProblems.join('; '));
  if (obstacles.length > 0) return conditionOfObstacles(obstacles);
  return conditionOfNodes(state);
}

/** Objects that can't be written: one that somebody can delete before others. */
function conditionOfObstacles(obstacles: readonly Obstacle[]): LinkCondition {
  const conflicts = obstacles.filter(({ reason }) => reason === 'NameConflict');
  const told = conflicts.length > 0 ? conflicts : obstacles;
  const messages = told.slice(0, NAMED_OBSTACLES).map(({ message }) => message);
  const rest = told.length - messages.length;
  return wrong(
    conflicts.length > 0 ? 'NameConflict' : 'WriteFailed',
    `${messages.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`,
  );
}

/** Whether there is something to apply for every node, and a gateway. */
function conditionOfNodes(state: LinkState): LinkCondition {
  const { nodes, planned, needsGateway, gateway } = state;
  if (nodes.length === 0) return wrong('NoNodes', 'no node of the cluster takes part');
  const undetected = nodes.filter((node) => !planned.has(node));
  if (undetected.length > 0) {
    return wrong('NodesNotDetected', `waiting for the agents of ${listed(undetected)} to report addresses`);
  }
  if (needsGateway && gateway === undefined) return wrong('NoGateway', 'no node can be the gateway');
  return conditionOfAgents(state);
}

/** Whether agents have done what was planned, and are there to keep it so. What those that died have not done follows. */
function conditionOfAgents({ nodes, configs, silent }: LinkState): LinkCondition {
  const behind = nodes.filter((node) => !silent.includes(node) && !hasApplied(configs.get(node)));
  if (behind.length > 0) return wrong('NodesNotReady', nodesNotReady(behind, configs));
  if (silent.length > 0) return wrong('AgentsSilent', `the agents of ${listed(silent)} no longer renew their Leases`);
  return { status: 'True', reason: 'Linked', message: `${nodes.length} nodes have what was planned for them` };
}

/** Whether the agent of a node has brought the kernel to the config that is there now, without an error. */
export function hasApplied(config: NodeConfig | undefined): boolean {
  const { metadata, status } = config ?? {};
  return (
    metadata?.generation !== undefined &&
    status?.observedGeneration === metadata.generation &&
    (status.errors ?? []).length === 0
  );
}

function nodesNotReady(behind: readonly string[], configs: ReadonlyMap<string, NodeConfig>): string {
  const errors = behind.flatMap((node) => {
    const [error] = configs.get(node)?.status?.errors ?? [];
    return error === undefined ? [] : [`${node}: ${error}`];
  });
  const summary = `${listed(behind)} have not applied what was planned for them`;
  return [summary, ...errors.slice(0, NAMED_NODES)].join('; ');
}

function listed(names: readonly string[]): string {
  const sorted = [...names].sort();
  const rest = sorted.length - NAMED_NODES;
  return `${sorted.slice(0, NAMED_NODES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function wrong(reason: LinkReason, message: string): LinkCondition {
  return { status: 'False', reason, message };
}

import type { KubeObject } from '../../../apis/core.js';
import type { NodeMetrics, PodMetrics } from '../../../apis/metrics.js';
import { isForbidden, isNotFound } from '../../../kube/api-error.js';
import type { KubeClient, ListOptions } from '../../../kube/client.js';
import { nodeMetrics, podMetrics } from '../../../kube/metrics-resources.js';
import type { ResourceType } from '../../../kube/resource.js';
import { errorMessage } from '../../../lib/errors.js';
import { ownedSelector, type Ownership } from '../../cluster/ownership.js';

/** What the metrics API of a member has answered. */
export interface FetchedMetrics {
  /** Undefined when they could not be read. */
  readonly nodes: readonly NodeMetrics[] | undefined;
  readonly pods: readonly PodMetrics[] | undefined;
  /** Why something could not be read, in words. */
  readonly problem: string | undefined;
}

const TIMEOUT_MS = 8_000;

type Listed<T> = { readonly items: readonly T[] } | { readonly problem: string };

/** Reads the metrics of all nodes of a member and of our pods there: two requests, however many virtual nodes. */
export async function fetchMetrics(client: Pick<KubeClient, 'list'>, ownership: Ownership): Promise<FetchedMetrics> {
  const [nodes, pods] = await Promise.all([
    list(client, nodeMetrics),
    list(client, podMetrics, { labelSelector: ownedSelector(ownership) }),
  ]);
  const problems = [nodes, pods].flatMap((listed) => ('problem' in listed ? [listed.problem] : []));
  return {
    nodes: 'items' in nodes ? nodes.items : undefined,
    pods: 'items' in pods ? pods.items : undefined,
    problem: problems.length === 0 ? undefined : [...new Set(problems)].join('; '),
  };
}

async function list<T extends KubeObject>(
  client: Pick<KubeClient, 'list'>,
  type: ResourceType<T>,
  options: ListOptions = {},
): Promise<Listed<T>> {
  try {
    const { items } = await client.list(type, { ...options, timeoutMs: TIMEOUT_MS });
    return { items };
  } catch (error) {
    return { problem: problemOf(error, type.plural) };
  }
}

function problemOf(error: unknown, plural: string): string {
  if (isNotFound(error)) return 'the member does not serve metrics.k8s.io';
  if (isForbidden(error)) return `the member does not allow to list ${plural} of metrics.k8s.io`;
  return `${plural} of metrics.k8s.io can not be read: ${errorMessage(error)}`;
}

import type { Clock } from '../../../lib/clock.js';
import { untilAborted } from '../../../kube/shared-call.js';
import type { Member } from '../../cluster/member.js';
import { EndpointError, type NodeEndpoint, type NodeExchange, type NodeRoutes, type ServedNode } from '../endpoint.js';
import { MemberStats, type StatsObserver } from './member-stats.js';
import type { StatsKind } from './stats-answer.js';

export interface StatsEndpointOptions {
  readonly observer: StatsObserver;
  readonly clock: Clock;
}

/** `/stats/summary`, `/metrics/resource`, `/metrics/cadvisor` and `/metrics/probes` of virtual nodes. */
export class StatsEndpoint implements NodeEndpoint {
  readonly #options: StatsEndpointOptions;
  /** Goes with the connection to a member, and so do counters that are made of rates. */
  readonly #members = new WeakMap<Member, MemberStats>();

  constructor(options: StatsEndpointOptions) {
    this.#options = options;
  }

  register(routes: NodeRoutes): void {
    routes.get('/stats/summary', (node, exchange) => {
      const onlySome = isTrue(exchange.request.query['only_cpu_and_memory']);
      return this.#answer(onlySome ? 'cpuAndMemory' : 'summary', node, exchange);
    });
    for (const kind of ['resource', 'cadvisor', 'probes'] as const) {
      routes.get(`/metrics/${kind}`, (node, exchange) => this.#answer(kind, node, exchange));
    }
  }

  async #answer(kind: StatsKind, node: ServedNode, { response, signal }: NodeExchange): Promise<void> {
    const { member } = node;
    if (member === undefined) throw new EndpointError(503, `there is no connection to the member behind ${node.name}`);
    const { contentType, body } = await untilAborted(this.#statsOf(member).read(kind, node), signal);
    response.status(200).type(contentType).send(body);
  }

  #statsOf(member: Member): MemberStats {
    const stats = this.#members.get(member) ?? new MemberStats({ member, ...this.#options });
    this.#members.set(member, stats);
    return stats;
  }
}

/** As Go reads a boolean; kubelet takes everything else for false. */
function isTrue(value: unknown): boolean {
  return typeof value === 'string' && ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value);
}

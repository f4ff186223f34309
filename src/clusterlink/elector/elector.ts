import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { clusterNodes } from '../../kube/kosmos-resources.js';
import type { ObjectKey } from '../../kube/resource.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import { leadPasses } from '../cluster/lead-passes.js';
import type { LinkFeature, LinkMember } from '../cluster/link-member.js';
import type { LinkNode } from '../cluster/link-node.js';
import { isGateway, standbysOf } from '../cluster/gateways.js';
import { gatewayCandidates } from './candidates.js';
import { electGateways, type Candidate } from './choose.js';
import { weighReports } from './evidence.js';
import { LifeSigns } from './life-signs.js';
import { roleChanges, type RolePatch } from './role-changes.js';

export interface ElectorOptions {
  readonly host: KubeClient;
  readonly clusters: Informer<Cluster>;
  readonly clusterNodes: Informer<ClusterNode>;
  /** NodeConfigs of all clusters whose agents are not silent, and report on nodes of the one that is named. */
  readonly reportsOn: (cluster: string) => readonly NodeConfig[];
  /** The gateway of a cluster is another one than before. */
  readonly onElected: (cluster: string, gateway: string | undefined) => void;
  readonly createController: ControllerFactory;
}

/** How often agents are listened to. */
const INTERVAL_MS = 1_000;
/** For agents that change their mind at the same moment. */
const GATHER_MS = 100;
const STANDBY_LIMIT = 2;

/** Keeps one gateway in each linked cluster, and some nodes that stand by. */
export function createElector(options: ElectorOptions): LinkFeature {
  const { createController } = options;
  const lead = (member: LinkMember, signal: AbortSignal): Promise<void> => {
    const reconciler = new Elector(options, member);
    return leadPasses(member, { name: 'link-elector', reconciler, gatherMs: GATHER_MS, createController }, signal);
  };
  return { name: 'elector', open: (member) => ({ lead: (signal) => lead(member, signal) }) };
}

/** Elects for one cluster. */
export class Elector implements Reconciler {
  readonly #options: Omit<ElectorOptions, 'createController'>;
  readonly #member: LinkMember;
  readonly #lifeSigns = new LifeSigns();

  constructor(options: Omit<ElectorOptions, 'createController'>, member: LinkMember) {
    this.#options = options;
    this.#member = member;
  }

  async reconcile(_key: ObjectKey, { signal }: { readonly signal: AbortSignal }): Promise<Result> {
    const { clusters, clusterNodes: cache, reportsOn } = this.#options;
    const { nodes, nodeConfigs, agents, config } = this.#member;
    const cluster = clusters.store.get(config.name);
    // While the cluster can't be seen, everybody in it looks silent; its agents decide by themselves.
    const isVisible = nodes.connected && nodeConfigs.connected && cache.hasSynced;
    if (cluster === undefined || !isVisible) return { requeueAfterMs: INTERVAL_MS };
    const own = cache.store.list().filter(({ spec }) => spec.clusterName === config.name);
    const current = own.find(isGateway)?.spec.nodeName;
    const byName = new Map(nodes.store.list().map((node) => [node.metadata.name, node]));
    const reports = reportsOn(config.name).filter((report) => this.#isBelieved(report, byName));
    const configs = new Map(nodeConfigs.store.list().map((each) => [each.spec.nodeName ?? '', each]));
    this.#lifeSigns.keep(byName);
    const evidence = weighReports(config.name, reports);
    const candidates = gatewayCandidates({
      ...{ cluster, clusterNodes: own, nodes: byName },
      healthOf: (node) => {
        const { name } = node.metadata;
        const silent = agents.isSilent(name);
        return this.#lifeSigns.healthOf(node, {
          ...{ verdict: evidence.reachability(name), silent, config: configs.get(name) },
        });
      },
    });
    const election = electGateways({
      ...{ candidates, current, switchedTo: evidence.switchedTo(current), standbyLimit: STANDBY_LIMIT },
      standbys: standbysOf(own),
    });
    const patches = roleChanges(own, election);
    for (const patch of patches) await this.#write(patch, signal);
    if (patches.length > 0 && election.gateway !== current) this.#elected(current, election.gateway, candidates);
    return { requeueAfterMs: INTERVAL_MS };
  }

  /** What an agent of this cluster said before its node went away says nothing about others any more. */
  #isBelieved({ spec }: NodeConfig, nodes: ReadonlyMap<string, LinkNode>): boolean {
    return spec.clusterName !== this.#member.config.name || nodes.get(spec.nodeName ?? '')?.ready === 'True';
  }

  #elected(before: string | undefined, gateway: string | undefined, candidates: readonly Candidate[]): void {
    const health = Object.fromEntries(candidates.map((candidate) => [candidate.nodeName, candidate.health]));
    this.#member.logger.info('gateway elected', { gateway, before, health });
    this.#options.onElected(this.#member.config.name, gateway);
  }

  /** Roles are replaced as a whole, so nobody else may have changed them meanwhile. */
  async #write({ name, uid, resourceVersion, spec }: RolePatch, signal: AbortSignal): Promise<void> {
    const { host, clusterNodes: cache } = this.#options;
    try {
      const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
      const patch = { metadata: { uid, resourceVersion }, spec };
      cache.assume(await host.patch(clusterNodes, { name }, patch, options));
    } catch (error) {
      // Looked at again in a second, with what it has become.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

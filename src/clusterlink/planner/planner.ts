import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfigDevice, NodeConfigSpec } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { ClusterFacts } from './cluster-facts.js';
import { clusterFacts } from './cluster-facts.js';
import type { ClusterView } from './cluster-view.js';
import { clusterView } from './cluster-view.js';
import type { Destinations } from './destinations.js';
import { planDestinations } from './destinations.js';
import type { LinkCluster } from './link-cluster.js';
import { compileLinkCluster } from './link-cluster.js';
import type { LinkNode } from './link-node.js';
import { compileLinkNode } from './link-node.js';
import type { PreviousMac } from './member.js';
import { Memory } from './memory.js';
import type { PlanProblem } from './problems.js';
import { sortedProblems } from './problems.js';
import { memberParts, renderMember, renderWaiting } from './render.js';
import type { ClusterRecipes, Recipe } from './recipe-book.js';
import { RecipeBook } from './recipe-book.js';
import type { PlannerSettings } from './settings.js';
import { DEFAULT_PLANNER_SETTINGS } from './settings.js';
import type { Tunnels } from './tunnels.js';
import { byAge, planTunnels } from './tunnels.js';

/** What a run of the planner brought. */
export interface PlanChange {
  /** Names of the NodeConfigs whose spec may differ from what it was. */
  readonly changed: ReadonlySet<string>;
  /** Names of the NodeConfigs that are not wanted any more. */
  readonly removed: ReadonlySet<string>;
  /** All there are, not only new ones. */
  readonly problems: readonly PlanProblem[];
}

/** What is computed for all clusters together. */
interface Shared {
  readonly tunnels: Tunnels;
  readonly destinations: Destinations;
  /** Equal when the candidates of all clusters are equal. */
  readonly candidates: string;
}

/**
 * The network-manager's computation: NodeConfigs from Clusters and ClusterNodes. Feed it what changed, then call
 * {@link plan}. What it says depends on the present inputs only, not on the order in which they came.
 *
 *     Cluster + its ClusterNodes ─► facts ─┬─► tunnels ──┬─► view of each cluster ─► config of each node
 *                                          └─► destinations ┘
 *
 * Facts are computed again for clusters that changed. Tunnels and destinations are cheap next to the configs, and are
 * computed each time; equal results are the same objects, so that a config whose parts are the same is left alone.
 * Configs are made when they are asked for.
 */
export class Planner {
  private readonly clusters = new Map<string, LinkCluster>();
  private readonly nodes = new Map<string, LinkNode>();
  private readonly nodesOfCluster = new Map<string, Set<string>>();
  private readonly devices = new Map<string, readonly NodeConfigDevice[]>();
  private readonly dirty = new Set<string>();
  private readonly facts = new Map<string, ClusterFacts>();
  private readonly memory = new Memory();
  private readonly book = new RecipeBook();

  private readonly settings: PlannerSettings;

  constructor(settings: PlannerSettings = DEFAULT_PLANNER_SETTINGS) {
    this.settings = settings;
  }

  /** A Cluster that is new or may have changed. */
  setCluster(cluster: Cluster): void {
    const name = cluster.metadata?.name ?? '';
    const compiled = compileLinkCluster(cluster, this.settings);
    if (compiled === undefined) this.removeCluster(name);
    else if (compiled.fingerprint !== this.clusters.get(name)?.fingerprint) {
      this.clusters.set(name, compiled);
      this.dirty.add(name);
    }
  }

  removeCluster(name: string): void {
    if (this.clusters.delete(name)) this.dirty.add(name);
  }

  /** A ClusterNode that is new or may have changed. */
  setNode(clusterNode: ClusterNode): void {
    const objectName = clusterNode.metadata?.name ?? '';
    const compiled = compileLinkNode(clusterNode);
    if (compiled?.fingerprint === this.nodes.get(objectName)?.fingerprint) return;
    this.removeNode(objectName);
    if (compiled === undefined) return;
    this.nodes.set(objectName, compiled);
    this.namesOf(compiled.clusterName).add(objectName);
    this.dirty.add(compiled.clusterName);
  }

  removeNode(objectName: string): void {
    const node = this.nodes.get(objectName);
    if (node === undefined) return;
    this.nodes.delete(objectName);
    this.namesOf(node.clusterName).delete(objectName);
    this.dirty.add(node.clusterName);
  }

  /**
   * The devices that the node has by a NodeConfig of Kosmos' own: their MACs stay. Those of this planner always have the
   * same ones.
   */
  setPreviousDevices(objectName: string, devices: readonly NodeConfigDevice[]): void {
    if (JSON.stringify(devices) === JSON.stringify(this.devices.get(objectName) ?? [])) return;
    this.devices.set(objectName, devices);
    const clusterName = this.nodes.get(objectName)?.clusterName;
    if (clusterName !== undefined) this.dirty.add(clusterName);
  }

  /** Computes what follows from the inputs as they are now. */
  plan(): PlanChange {
    this.renewFacts();
    const facts = byAge([...this.facts.values()]);
    const tunnels = this.tunnels(facts);
    const destinations = this.destinations(facts, tunnels);
    const shared = { tunnels, destinations, candidates: facts.map(({ candidateKey }) => candidateKey).join() };
    const recipes = facts.map((cluster) => [cluster.cluster.name, this.recipesOf(cluster, facts, shared)] as const);
    const change = this.book.replace(new Map(recipes));
    const problems = [tunnels.problems, destinations.problems, ...facts.map((cluster) => cluster.problems)];
    return { ...change, problems: sortedProblems(problems.flat()) };
  }

  /** Names of all NodeConfigs that the last {@link plan} wants. */
  names(): Iterable<string> {
    return this.book.names();
  }

  /** As of the last {@link plan}; undefined for a node that gets none. The same object as long as it doesn't change. */
  config(objectName: string): NodeConfigSpec | undefined {
    return this.book.config(objectName);
  }

  private renewFacts(): void {
    for (const name of this.dirty) {
      const cluster = this.clusters.get(name);
      if (cluster === undefined) {
        this.facts.delete(name);
        this.memory.forget(slotsOf(name));
      } else {
        const nodes = [...this.namesOf(name)].flatMap((objectName) => this.nodes.get(objectName) ?? []);
        this.facts.set(
          name,
          clusterFacts(cluster, nodes, (objectName) => this.previousMac(objectName)),
        );
      }
    }
    this.dirty.clear();
  }

  private tunnels(facts: readonly ClusterFacts[]): Tunnels {
    const tunnels = planTunnels(facts);
    const names = tunnels.nodes.map(({ clusterName, member }) => `${clusterName}/${member.node.nodeName}`);
    const { fdbs, arps } = tunnels.neighbours;
    const fingerprint = [...names, ...fdbs.map(({ key }) => key), ...arps.map(({ key }) => key)].join();
    return { ...tunnels, neighbours: this.memory.keep('neighbours', tunnels.neighbours, fingerprint) };
  }

  private destinations(facts: readonly ClusterFacts[], tunnels: Tunnels): Destinations {
    const { byCluster, problems } = planDestinations(facts, tunnels);
    const fingerprint = [...byCluster]
      .flatMap(([name, list]) => [name, ...list.map(({ route, viaGateway }) => `${route.key}${viaGateway}`)])
      .join();
    return { byCluster: this.memory.keep('destinations', byCluster, fingerprint), problems };
  }

  private recipesOf(facts: ClusterFacts, all: readonly ClusterFacts[], shared: Shared): ClusterRecipes {
    const { tunnels } = shared;
    const view = this.view(facts, all, shared);
    const parts = [facts, view, tunnels.neighbours, JSON.stringify(tunnels.mtu)];
    return this.memory.derive(`${slotsOf(facts.cluster.name)}recipes`, parts, () => {
      const recipes = new Map<string, Recipe>();
      for (const node of facts.waiting) {
        const render = (): NodeConfigSpec => renderWaiting(facts.cluster, node, this.settings);
        recipes.set(node.objectName, { parts: [facts.cluster, node], render });
      }
      for (const member of facts.members) {
        const input = { member, facts, view, tunnels, settings: this.settings };
        recipes.set(member.node.objectName, { parts: memberParts(input), render: () => renderMember(input) });
      }
      return recipes;
    });
  }

  private view(facts: ClusterFacts, all: readonly ClusterFacts[], shared: Shared): ClusterView {
    const { tunnels, destinations, candidates } = shared;
    const prefixes = JSON.stringify(tunnels.prefixes);
    const parts = [facts.cluster, candidates, destinations.byCluster, tunnels.neighbours, prefixes];
    const slot = `${slotsOf(facts.cluster.name)}view`;
    const { memory } = this;
    return memory.derive(slot, parts, () => {
      const view = clusterView(facts, all, { tunnels, destinations });
      return {
        direct: memory.keep(`${slot}/direct`, view.direct, keysOf(view.direct)),
        local: memory.keep(`${slot}/local`, view.local, keysOf(view.local)),
        remoteGateways: memory.keep(`${slot}/remote`, view.remoteGateways, JSON.stringify(view.remoteGateways)),
        nat: memory.keep(`${slot}/nat`, view.nat, JSON.stringify(view.nat)),
      };
    });
  }

  private namesOf(clusterName: string): Set<string> {
    const names = this.nodesOfCluster.get(clusterName) ?? new Set<string>();
    this.nodesOfCluster.set(clusterName, names);
    return names;
  }

  private previousMac(objectName: string): PreviousMac {
    return (device) => this.devices.get(objectName)?.find(({ name }) => name === device)?.mac;
  }
}

const keysOf = (list: readonly { readonly key: string }[]): string => list.map(({ key }) => key).join();
/** Names of what is remembered of a cluster begin so. */
const slotsOf = (clusterName: string): string => `${clusterName}/`;

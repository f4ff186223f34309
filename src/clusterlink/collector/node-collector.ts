import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { clusterNodes } from '../../kube/kosmos-resources.js';
import type { ObjectKey } from '../../kube/resource.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { ReconcileContext, Reconciler, Result } from '../../runtime/controller.js';
import { deleteExactly } from '../cluster/leave-link.js';
import { allDone } from '../cluster/all-done.js';
import { leadPasses } from '../cluster/lead-passes.js';
import type { LinkFeature, LinkMember } from '../cluster/link-member.js';
import type { Obstacle } from '../cluster/obstacles.js';
import { diffClusterNodes, type ClusterNodeChanges, type ClusterNodePatch } from './cluster-node.js';
import { nodeBlocks } from './node-blocks.js';

export interface NodeCollectorOptions {
  readonly host: KubeClient;
  readonly clusterNodes: Informer<ClusterNode>;
  readonly createController: ControllerFactory;
}

/** Many nodes change at once when a cluster starts. */
const GATHER_MS = 200;
/** While caches are being filled, and now and then whatever the watches said. */
const SYNCING_MS = 1_000;
const RESYNC_MS = 60_000;

/** Keeps the ClusterNodes of the host equal to the nodes of each linked cluster. */
export function createNodeCollector(options: NodeCollectorOptions): LinkFeature {
  const { createController } = options;
  const lead = (member: LinkMember, signal: AbortSignal): Promise<void> => {
    const reconciler = new NodeCollector(options, member);
    return leadPasses(member, { name: 'link-nodes', reconciler, gatherMs: GATHER_MS, createController }, signal);
  };
  return { name: 'nodes', open: (member) => ({ lead: (signal) => lead(member, signal) }) };
}

/** How a pass ended. */
interface Collected extends Result {
  /** Nodes for which others have left no name. */
  readonly conflict?: Obstacle | undefined;
}

/** One pass over all nodes of a cluster; what is the same already costs nothing. */
export class NodeCollector implements Reconciler {
  readonly #options: Omit<NodeCollectorOptions, 'createController'>;
  readonly #member: LinkMember;

  constructor(options: Omit<NodeCollectorOptions, 'createController'>, member: LinkMember) {
    this.#options = options;
    this.#member = member;
  }

  reconcile(_key: ObjectKey, context: ReconcileContext): Promise<Result> {
    const collect = (): Promise<Collected> => this.#collect(context.signal);
    return this.#member.obstacles.follow('a ClusterNode', context, collect, ({ conflict }) => conflict);
  }

  async #collect(signal: AbortSignal): Promise<Collected> {
    const { clusterNodes: cache } = this.#options;
    const { nodes, nodeConfigs, network, config } = this.#member;
    if (!nodes.hasSynced || !cache.hasSynced) return { requeueAfterMs: SYNCING_MS };
    const blocks = nodeBlocks(nodes.store.list(), network.facts);
    const detected = nodeConfigs.store.list().flatMap(({ spec, status }) => {
      const found = status?.detected;
      return found === undefined || spec.nodeName === undefined ? [] : ([[spec.nodeName, found]] as const);
    });
    const changes = diffClusterNodes({
      cluster: config.name,
      nodes: nodes.store.list(),
      blocks,
      detected: new Map(detected),
      actual: cache.store.list(),
    });
    // What a cache doesn't show may be there while the cache is cut off.
    const gone = nodes.connected ? changes.remove : [];
    await allDone([
      ...changes.create.map((object) => () => this.#create(object, signal)),
      ...changes.patch.map((patch) => () => this.#patch(patch, signal)),
      ...gone.map((object) => () => deleteExactly(this.#options.host, clusterNodes, object, signal)),
    ]);
    const requeueAfterMs = blocks === undefined ? SYNCING_MS : RESYNC_MS;
    return { requeueAfterMs, conflict: conflictOf(changes.nameless) };
  }

  async #create(object: ClusterNode, signal: AbortSignal): Promise<void> {
    const { host, clusterNodes: cache } = this.#options;
    try {
      cache.assume(await host.create(clusterNodes, object, { fieldManager: FIELD_MANAGER, signal }));
    } catch (error) {
      // The cache is behind; it will show the object in a moment, and then it is looked at again.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async #patch({ name, uid, spec }: ClusterNodePatch, signal: AbortSignal): Promise<void> {
    const { host, clusterNodes: cache } = this.#options;
    try {
      const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
      cache.assume(await host.patch(clusterNodes, { name }, { metadata: { uid }, spec }, options));
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

function conflictOf(nameless: ClusterNodeChanges['nameless']): Obstacle | undefined {
  const [first] = nameless;
  if (first === undefined) return undefined;
  const [one, other] = first.taken;
  const message = `the ClusterNodes ${one} and ${other} in the host stand for other nodes than ${first.node}; delete one of them`;
  return { reason: 'NameConflict', message };
}

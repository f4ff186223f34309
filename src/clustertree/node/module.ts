import type { Node, Pod } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import { nodes, objectKey, pods, type ObjectKey } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { Result } from '../../runtime/controller.js';
import { deleteNode, drainStep } from '../cluster/drain.js';
import type { HostPods } from '../cluster/host-pods.js';
import { informerProblem } from '../cluster/informer-problem.js';
import type { Member, MemberFeature, MemberModule, ModuleReport, NodeBehind } from '../cluster/member.js';
import { foreignSelector } from '../cluster/ownership.js';
import { clusterOfNode } from '../cluster/virtual-node.js';
import { createForeignPodTrimmer, type ForeignPod } from './foreign-pod.js';
import { MemberInventory } from './inventory.js';
import { LeaseRenewals } from './lease-renewals.js';
import { NodeLeases } from './leases.js';
import { trimNode, type MemberNode } from './member-node.js';
import { isOurs } from './model.js';
import type { KubeletEndpoints } from './node-facts.js';
import { NodeReconciler } from './reconciler.js';

export interface NodeFeatureOptions {
  readonly host: KubeClient;
  /** For heartbeats alone, so that they never wait behind a burst of pods. */
  readonly leaseClient: KubeClient;
  readonly hostNodes: Informer<Node>;
  readonly hostPods: HostPods;
  readonly createInformer: InformerFactory;
  readonly createController: ControllerFactory;
  readonly kubelet: KubeletEndpoints;
  readonly clock: Clock;
}

/** A virtual node changes at most once in this time, however many pods come and go behind it. */
const UPDATE_INTERVAL_MS = 1_000;
const DRAIN_INTERVAL_MS = 1_000;
/** Foreign pods that take nothing any more are left out by the API server. */
const TAKES_ROOM = 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed';

/** Virtual nodes: one set for each member. */
export function createNodeFeature(options: NodeFeatureOptions): MemberFeature {
  return { name: 'node', open: (member) => new NodeModule(options, member) };
}

class NodeModule implements MemberModule {
  readonly #options: NodeFeatureOptions;
  readonly #member: Member;
  readonly #inventory = new MemberInventory();
  readonly #memberNodes: Informer<Node, MemberNode>;
  readonly #foreignPods: Informer<Pod, ForeignPod>;
  readonly #conflicts = new Map<string, string>();
  #touched: (node?: string) => void = () => undefined;

  constructor(options: NodeFeatureOptions, member: Member) {
    this.#options = options;
    this.#member = member;
    const { client } = member;
    this.#memberNodes = options.createInformer({
      cluster: member.config.name,
      client,
      type: nodes,
      transform: trimNode,
    });
    this.#memberNodes.addHandler({
      onAdd: (node) => this.#setNode(node),
      onUpdate: (_old, node) => this.#setNode(node),
      onDelete: (node) => {
        this.#inventory.deleteNode(node.metadata.name);
        this.#touched();
      },
    });
    this.#foreignPods = options.createInformer({
      cluster: member.config.name,
      client,
      type: pods,
      labelSelector: foreignSelector(member.ownership),
      fieldSelector: TAKES_ROOM,
      transform: createForeignPodTrimmer(),
    });
    this.#foreignPods.addHandler({
      onAdd: (pod) => this.#changePod(undefined, pod),
      onUpdate: (old, pod) => this.#changePod(old, pod),
      onDelete: (old) => this.#changePod(old, undefined),
    });
  }

  get synced(): boolean {
    return this.#memberNodes.hasSynced && this.#foreignPods.hasSynced;
  }

  get problem(): string | undefined {
    return informerProblem([this.#memberNodes, this.#foreignPods]);
  }

  get report(): ModuleReport {
    const all = [...this.#inventory.nodes()];
    const conflicts = [...this.#conflicts.values()];
    return { conflicts, nodes: { ready: all.filter((node) => node.ready).length, total: all.length } };
  }

  get nodeLabelKeys(): ReadonlySet<string> | undefined {
    return this.#memberNodes.hasSynced ? this.#inventory.labelKeys() : undefined;
  }

  nodesBehind(virtualNode: string): readonly NodeBehind[] | undefined {
    if (!this.#memberNodes.hasSynced) return undefined;
    const spec = this.#member.config.virtualNodes.find(({ nodeName }) => nodeName === virtualNode);
    const behind = spec === undefined ? [] : this.#inventory.nodesBehind(spec);
    return behind.map(({ metadata: { name }, ready }) => ({ name, ready }));
  }

  async run(signal: AbortSignal): Promise<void> {
    const removeListener = this.#member.probe.onReturn(() => {
      this.#memberNodes.reconnect();
      this.#foreignPods.reconnect();
    });
    await Promise.all([this.#memberNodes.run(signal), this.#foreignPods.run(signal)]);
    removeListener();
  }

  async lead(signal: AbortSignal): Promise<void> {
    const { createController, host, hostNodes, clock, kubelet } = this.#options;
    const member = this.#member;
    const renewals = new LeaseRenewals({
      leases: new NodeLeases(this.#options.leaseClient, clock),
      isReachable: () => member.probe.reachable,
      logger: member.logger,
    });
    const renew = (node: Node): void => renewals.add(node, signal);
    const reconciler = new NodeReconciler({
      ...{ host, hostNodes, member, kubelet, clock, inventory: this.#inventory },
      onConflict: (node, message) => this.#setConflict(node, message),
      onCreated: renew,
    });
    const controller = createController({
      name: 'node',
      cluster: member.config.name,
      reconciler: {
        reconcile: (name, context) =>
          this.#isStale(name) ? this.#removeStale(name, context.signal) : reconciler.reconcile(name, context),
      },
    });
    const wanted = member.config.virtualNodes.map(({ nodeName }) => nodeName);
    const all = (): void => {
      for (const name of member.leaving ? [] : wanted) controller.enqueue(name);
    };
    this.#touched = () => {
      for (const name of member.leaving ? [] : wanted) controller.enqueueAfter(name, UPDATE_INTERVAL_MS);
    };
    const removeHandler = hostNodes.addHandler({
      onAdd: (node) => this.#hostNodeChanged(node, controller.enqueue.bind(controller)),
      onUpdate: (_old, node) => this.#hostNodeChanged(node, controller.enqueue.bind(controller)),
      onDelete: (node) => this.#hostNodeChanged(node, controller.enqueue.bind(controller)),
    });
    let wasReachable = false;
    const removeListener = member.probe.onResult(({ reachable }) => {
      if (reachable) this.#ownNodes().forEach(renew);
      if (reachable && !wasReachable) all();
      wasReachable = reachable;
    });
    try {
      await Promise.all([this.#memberNodes.synced(signal), this.#foreignPods.synced(signal), hostNodes.synced(signal)]);
      // After an outage of the host the leases are overdue, and the next probe may be seconds away.
      if (member.probe.reachable) this.#ownNodes().forEach(renew);
      all();
      await controller.run(signal);
    } finally {
      removeHandler();
      removeListener();
      this.#touched = () => undefined;
      await renewals.stop();
    }
  }

  #changePod(before: ForeignPod | undefined, after: ForeignPod | undefined): void {
    if (this.#inventory.changePod(before, after)) this.#touched();
  }

  #setNode(node: MemberNode): void {
    this.#inventory.setNode(node);
    this.#touched();
  }

  #ownNodes(): Node[] {
    return this.#options.hostNodes.store.list().filter((node) => isOurs(node, this.#member.config.name));
  }

  #hostNodeChanged(node: Node, enqueue: (key: ObjectKey) => void): void {
    if (this.#member.leaving) return;
    const wanted = this.#member.config.virtualNodes.some(({ nodeName }) => nodeName === node.metadata?.name);
    if (wanted || clusterOfNode(node) === this.#member.config.name) {
      enqueue(objectKey(node));
    }
  }

  #setConflict(node: string, message: string | undefined): void {
    if (this.#conflicts.get(node) === message) return;
    if (message === undefined) this.#conflicts.delete(node);
    else this.#conflicts.set(node, message);
    this.#member.changed();
  }

  #isStale(name: string): boolean {
    return !this.#member.leaving && !this.#member.config.virtualNodes.some(({ nodeName }) => nodeName === name);
  }

  /** A virtual node that `leafModels` no longer names: its pods end the ordinary way, then it goes. */
  async #removeStale(name: string, signal: AbortSignal): Promise<Result> {
    const { host, hostNodes, hostPods } = this.#options;
    const node = hostNodes.store.get(name);
    if (node === undefined || !isOurs(node, this.#member.config.name)) return {};
    const current = this.#member.probe.reachable && hostPods.isCurrent(this.#member.config.name);
    if (!current) return { requeueAfterMs: DRAIN_INTERVAL_MS };
    const left = await drainStep(host, [node], hostPods.listNode(name), { force: false, signal });
    if (left > 0) return { requeueAfterMs: DRAIN_INTERVAL_MS };
    await deleteNode(host, node, signal);
    return {};
  }
}

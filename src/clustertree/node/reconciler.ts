import type { Node } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isAlreadyExists } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { nodes, type ObjectKey } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { Member } from '../cluster/member.js';
import type { VirtualNodeSpec } from '../cluster/virtual-node-spec.js';
import { diffNode } from './diff.js';
import type { MemberInventory } from './inventory.js';
import { desiredNode, nodeConflict } from './model.js';
import type { KubeletEndpoints, VirtualNodeFacts } from './node-facts.js';
import { desiredNodeStatus, initialNodeStatus, nodeStatusPatch } from './status.js';

export interface NodeReconcilerOptions {
  readonly host: KubeClient;
  /** Virtual nodes in the host. */
  readonly hostNodes: Informer<Node>;
  readonly member: Member;
  readonly inventory: MemberInventory;
  readonly kubelet: KubeletEndpoints;
  readonly clock: Clock;
  /** Says that a virtual node can't be made (a message) or that it can (undefined). */
  readonly onConflict: (node: string, message: string | undefined) => void;
  /** A node was made; its first lease should follow at once. */
  readonly onCreated: (node: Node) => void;
}

/** How often a node's conditions get a new heartbeat when nothing else changes, as kubelet's nodeStatusReportFrequency. */
const HEARTBEAT_MS = 5 * 60_000;
/** How often a name that somebody else's node has is tried again. */
const CONFLICT_RETRY_MS = 30_000;
/** However many pods come and go behind it, a virtual node is written once in this time. */
const WRITE_INTERVAL_MS = 1_000;

/** Makes one virtual node what the member says it is: metadata, taints, conditions, capacity. */
export class NodeReconciler implements Reconciler {
  readonly #options: NodeReconcilerOptions;
  readonly #specs: ReadonlyMap<string, VirtualNodeSpec>;
  readonly #heartbeats = new Map<string, number>();
  readonly #writtenAt = new Map<string, number>();

  constructor(options: NodeReconcilerOptions) {
    this.#options = options;
    this.#specs = new Map(options.member.config.virtualNodes.map((spec) => [spec.nodeName, spec]));
  }

  async reconcile(name: ObjectKey, context: { readonly signal: AbortSignal }): Promise<Result> {
    const spec = this.#specs.get(name);
    const { hostNodes, member, onConflict, clock } = this.#options;
    if (spec === undefined || !member.probe.reachable || !hostNodes.hasSynced) return {};
    const restMs = (this.#writtenAt.get(name) ?? -Infinity) + WRITE_INTERVAL_MS - clock.monotonic();
    if (restMs > 0) return { requeueAfterMs: restMs };
    const facts = this.#facts(spec);
    const actual = hostNodes.store.get(name) ?? (await this.#create(facts, context.signal));
    const conflict = nodeConflict(actual, member.config.name);
    onConflict(name, conflict);
    if (conflict !== undefined) return { requeueAfterMs: CONFLICT_RETRY_MS };
    await this.#update(actual, facts, context.signal);
    return { requeueAfterMs: HEARTBEAT_MS };
  }

  #facts(spec: VirtualNodeSpec): VirtualNodeFacts {
    const { member, inventory, kubelet } = this.#options;
    return {
      clusterName: member.config.name,
      spec,
      behind: inventory.nodesBehind(spec),
      capacity: inventory.capacity(spec),
      memberVersion: member.probe.result?.version ?? '',
      kubelet: { addresses: kubelet.addresses, port: kubelet.portOf(spec.nodeName) },
    };
  }

  async #create(facts: VirtualNodeFacts, signal: AbortSignal): Promise<Node> {
    const { host, hostNodes, clock, onCreated } = this.#options;
    const status = initialNodeStatus(desiredNodeStatus(facts), new Date(clock.now()).toISOString());
    try {
      const options = { fieldManager: FIELD_MANAGER, signal };
      const created = await host.create(nodes, { ...desiredNode(facts), status }, options);
      hostNodes.assume(created);
      this.#heartbeats.set(facts.spec.nodeName, clock.monotonic());
      onCreated(created);
      return created;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return host.get(nodes, { name: facts.spec.nodeName }, { signal });
    }
  }

  async #update(actual: Node, facts: VirtualNodeFacts, signal: AbortSignal): Promise<void> {
    const { host, hostNodes, clock } = this.#options;
    const ref = { name: facts.spec.nodeName };
    const options = { fieldManager: FIELD_MANAGER, signal };
    const patch = diffNode(actual, desiredNode(facts));
    if (patch !== undefined) {
      hostNodes.assume(await host.patch(nodes, ref, patch, { ...options, type: 'merge' }));
      this.#writtenAt.set(ref.name, clock.monotonic());
    }
    const heartbeat = this.#heartbeats.get(ref.name);
    if (heartbeat === undefined) this.#heartbeats.set(ref.name, clock.monotonic());
    const statusPatch = nodeStatusPatch(actual, desiredNodeStatus(facts), {
      now: new Date(clock.now()).toISOString(),
      heartbeatDue: heartbeat !== undefined && clock.monotonic() - heartbeat >= HEARTBEAT_MS,
    });
    if (statusPatch === undefined) return;
    const written = { ...options, type: 'strategic', subresource: 'status' } as const;
    hostNodes.assume(await host.patch(nodes, ref, statusPatch, written));
    this.#writtenAt.set(ref.name, clock.monotonic());
    this.#heartbeats.set(ref.name, clock.monotonic());
  }
}

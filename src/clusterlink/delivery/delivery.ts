import type { NodeConfig, NodeConfigSpec } from '../../apis/kosmos/v1alpha1/node-config.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/api-error.js';
import { nodeConfigs } from '../../kube/kosmos-resources.js';
import { objectKey, type ObjectKey } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { ReconcileContext, Reconciler, Result } from '../../runtime/controller.js';
import { isLabelled } from '../../clustertree/cluster/ownership.js';
import { deleteExactly } from '../cluster/leave-link.js';
import type { LinkFeature, LinkMember, LinkModule } from '../cluster/link-member.js';
import { nameConflict, type Obstacle } from '../cluster/obstacles.js';
import { diffConfig, newConfig } from './config-change.js';
import { isApplied, WriteOrder, writeStage } from './write-order.js';

/** Told which NodeConfigs of a Cluster have to be looked at; none when only its problems may have changed. */
export type PlanListener = (cluster: string, names: ReadonlySet<string>) => void;

/** What is planned for the nodes of all clusters. */
export interface NetworkPlan {
  /** Whether there is a plan; before that nothing is known to be unwanted. */
  readonly planned: boolean;
  /** The spec that a NodeConfig should have; undefined for one that is not wanted. */
  config(name: string): NodeConfigSpec | undefined;
  /** Names of all NodeConfigs that are planned for a cluster. */
  namesOf(cluster: string): ReadonlySet<string>;
  /** The returned function ends it. */
  onChange(listener: PlanListener): () => void;
}

export interface DeliveryOptions {
  readonly plan: NetworkPlan;
  readonly createController: ControllerFactory;
  readonly clock: Clock;
}

const WRITES_AT_ONCE = 16;
const SYNCING_MS = 1_000;
const HOLD_CHECK_MS = 100;
/** How often it is seen whether somebody else's object has gone; our watch doesn't show it. */
const CONFLICT_CHECK_MS = 10_000;

/** Brings each cluster's NodeConfigs into its own API server. */
export function createDelivery(options: DeliveryOptions): LinkFeature {
  return { name: 'node-configs', open: (member) => new DeliveryModule(options, member) };
}

class DeliveryModule implements LinkModule {
  readonly #options: DeliveryOptions;
  readonly #member: LinkMember;

  constructor(options: DeliveryOptions, member: LinkMember) {
    this.#options = options;
    this.#member = member;
  }

  async lead(signal: AbortSignal): Promise<void> {
    const { name, leaving } = this.#member.config;
    if (leaving) return;
    const { plan, createController } = this.#options;
    const reconciler = new Delivery(this.#options, this.#member);
    const controller = createController({
      ...{ name: 'link-node-configs', cluster: name, reconciler, concurrency: WRITES_AT_ONCE },
    });
    const look = (names: ReadonlySet<string>): void => {
      reconciler.begin(names);
      for (const key of names) controller.enqueue(key);
    };
    const stops = [
      plan.onChange((cluster, names) => {
        if (cluster === name) look(names);
      }),
      this.#member.nodeConfigs.addHandler({
        onAdd: (config) => controller.enqueue(objectKey(config)),
        onUpdate: (old, config) => {
          reconciler.reported(config);
          // A mere report changes nothing that is written.
          if (old.metadata?.generation !== config.metadata?.generation) controller.enqueue(objectKey(config));
        },
        onDelete: (config) => controller.enqueue(objectKey(config)),
      }),
    ];
    look(new Set([...plan.namesOf(name), ...this.#member.nodeConfigs.store.keys()]));
    try {
      await controller.run(signal);
    } finally {
      for (const stop of stops) stop();
    }
  }
}

/** How a NodeConfig was brought where it belongs. */
interface Delivered extends Result {
  /** Somebody else's object is there in its place. */
  readonly conflict?: Obstacle;
}

/** Writes one NodeConfig, when it differs. */
export class Delivery implements Reconciler {
  readonly #options: Omit<DeliveryOptions, 'createController'>;
  readonly #member: LinkMember;
  readonly #order = new WriteOrder();

  constructor(options: Omit<DeliveryOptions, 'createController'>, member: LinkMember) {
    this.#options = options;
    this.#member = member;
  }

  /** Takes note that these NodeConfigs may have to change. */
  begin(names: ReadonlySet<string>): void {
    const { store } = this.#member.nodeConfigs;
    const stages = [...names].flatMap((name) => {
      const spec = this.#options.plan.config(name);
      const actual = store.get(name);
      const isDone = spec === undefined || (actual !== undefined && diffConfig(actual, spec) === undefined);
      return isDone ? [] : [[name, writeStage(actual?.spec, spec)] as const];
    });
    this.#order.begin(new Map(stages), this.#options.clock.monotonic());
  }

  /** Takes note of what the agent of a node reports. */
  reported(config: NodeConfig): void {
    if (isApplied(config)) this.#order.confirmed(config.metadata?.name ?? '');
  }

  reconcile(name: ObjectKey, context: ReconcileContext): Promise<Result> {
    const deliver = (): Promise<Delivered> => this.#deliver(name, context.signal);
    return this.#member.obstacles.follow(titleOf(name), context, deliver, ({ conflict }) => conflict);
  }

  async #deliver(name: ObjectKey, signal: AbortSignal): Promise<Delivered> {
    const { nodeConfigs: cache } = this.#member;
    const { plan } = this.#options;
    if (!plan.planned || !cache.hasSynced) return { requeueAfterMs: SYNCING_MS };
    const actual = cache.store.get(name);
    const spec = plan.config(name);
    if (spec === undefined) {
      this.#order.gone(name);
      if (actual !== undefined) await deleteExactly(this.#member.client, nodeConfigs, actual, signal);
      return {};
    }
    if (actual === undefined) return this.#create(name, spec, signal);
    const patch = diffConfig(actual, spec);
    if (patch === undefined) {
      this.#order.written(name, undefined);
      return {};
    }
    const stage = writeStage(actual.spec, spec);
    if (this.#order.mustWait(stage, this.#options.clock.monotonic())) return { requeueAfterMs: HOLD_CHECK_MS };
    try {
      const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
      cache.assume(await this.#member.client.patch(nodeConfigs, { name }, patch, options));
      this.#order.written(name, stage);
    } catch (error) {
      // The cache is behind; it will show what happened in a moment, and then it is looked at again.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return {};
  }

  async #create(name: string, spec: NodeConfigSpec, signal: AbortSignal): Promise<Delivered> {
    const { client, ownership, nodeConfigs: cache } = this.#member;
    try {
      const object = newConfig(name, ownership, spec);
      cache.assume(await client.create(nodeConfigs, object, { fieldManager: FIELD_MANAGER, signal }));
      this.#order.written(name, undefined);
      return {};
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return this.#whatIsThere(name, signal);
    }
  }

  /** Either the cache is behind, or somebody else's object has this name, which our watch doesn't show. */
  async #whatIsThere(name: string, signal: AbortSignal): Promise<Delivered> {
    const { client, ownership } = this.#member;
    try {
      const present = await client.get(nodeConfigs, { name }, { signal });
      if (!isLabelled(present, ownership)) {
        return { requeueAfterMs: CONFLICT_CHECK_MS, conflict: nameConflict(titleOf(name), present) };
      }
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return { requeueAfterMs: SYNCING_MS };
  }
}

function titleOf(name: string): string {
  return `NodeConfig ${name}`;
}

import type { NodeConfig, NodeConfigDetected } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { ConfigSource } from './config-source.js';
import { DEFAULT_ROUTE_PROTOCOL, ownershipOf } from './desired.js';
import { detectUnderlay, type Surroundings } from './detect.js';
import { activeGateways, chooseGateways, type GatewayChoices, routesThrough } from './failover.js';
import type { Kernel } from './kernel.js';
import type { Change } from './monitor.js';
import type { NodeNetwork, SyncResult } from './network.js';
import { probePlan } from './probe/targets.js';
import type { Prober } from './probe/prober.js';
import type { Interest } from './relevance.js';
import type { StateStore } from './state-store.js';
import type { StatusPublisher } from './status-publisher.js';
import { readSurroundings } from './surroundings.js';

/** What the agent counts. */
export interface AgentObserver {
  synced(outcome: 'success' | 'error', seconds: number, result?: SyncResult): void;
  gatewaySwitched(cluster: string): void;
}

/** Collaborators of {@link Agent}. */
export interface AgentDeps {
  readonly kernel: Kernel;
  readonly network: Pick<NodeNetwork, 'sync' | 'remove'>;
  readonly source: ConfigSource;
  readonly store: Pick<StateStore, 'config' | 'saveConfig' | 'clear'>;
  readonly prober: Pick<Prober, 'follow' | 'alive' | 'report'>;
  readonly publisher: Pick<StatusPublisher, 'publish'>;
  readonly observer: AgentObserver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The kernel is compared with the config at least so often. */
const RESYNC_MS = 30_000;
const RETRY_MS = 2_000;
/** Changes come in bursts; what is seen soon after the first is looked at together with it. */
const GATHER_MS = 100;
/** A config has to be missing for so long before the node's network is taken away. */
const ABSENCE_MS = 10_000;

/**
 * Keeps a node's network as its NodeConfig says. Level-based: whatever happened, it looks at the config, at the kernel and
 * at what probes say, and does what is missing.
 */
export class Agent {
  readonly #deps: AgentDeps;
  #wake: () => void = () => undefined;
  #awake = true;
  #inspectTable = true;
  #config: NodeConfig | undefined;
  #absentSinceMs: number | undefined;
  #choices: GatewayChoices = new Map();
  #interest: Interest = { names: new Set(), indexes: new Set(), protocol: DEFAULT_ROUTE_PROTOCOL };
  #drift = 0;
  #appliedGeneration: number | undefined;
  #lastChangeTime: string | undefined;
  #saved = '';

  constructor(deps: AgentDeps) {
    this.#deps = deps;
  }

  /** What of the kernel counts at this moment. */
  get interest(): Interest {
    return this.#interest;
  }

  /** Whether the kernel was brought to a config since the agent started. */
  get applied(): boolean {
    return this.#appliedGeneration !== undefined;
  }

  /** Something of the kernel has changed. */
  kernelChanged(change: Change): void {
    if (change === 'table') this.#inspectTable = true;
    this.nudge();
  }

  /** Something may have to be done. */
  nudge(): void {
    this.#awake = true;
    this.#wake();
  }

  /** Works until the signal aborts. The network stays as it is then. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#awake = false;
      const done = await this.#look();
      await this.#rest(done ? RESYNC_MS : RETRY_MS, signal);
    }
  }

  async #rest(limitMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    if (await this.#isWoken(limitMs, signal)) await clock.sleep(GATHER_MS, signal).catch(() => undefined);
    // Nothing happened: time for a thorough look.
    else this.#inspectTable = true;
  }

  /** False when nothing woke it before the limit. */
  async #isWoken(limitMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#awake) return true;
    const waiting = new AbortController();
    this.#wake = () => waiting.abort();
    await this.#deps.clock.sleep(limitMs, AbortSignal.any([signal, waiting.signal])).catch(() => undefined);
    this.#wake = () => undefined;
    return waiting.signal.aborted;
  }

  /** Whether all is as it should be. */
  async #look(): Promise<boolean> {
    const { kernel, logger, clock, observer } = this.#deps;
    const startedAt = clock.monotonic();
    const seconds = (): number => (clock.monotonic() - startedAt) / 1000;
    try {
      const around = readSurroundings(kernel);
      this.#readConfig();
      if (this.#config === undefined) return await this.#withoutConfig();
      const errors: string[] = [];
      const detected = this.#detect(this.#config, around, errors);
      const result = await this.#apply(this.#config, around);
      errors.push(...(result?.errors ?? []));
      if (result !== undefined) observer.synced(errors.length === 0 ? 'success' : 'error', seconds(), result);
      this.#publish(this.#config, detected, errors);
      return errors.length === 0 && this.#absentSinceMs === undefined;
    } catch (error) {
      observer.synced('error', seconds());
      logger.error('the network could not be looked at', { error: errorMessage(error) });
      if (this.#config !== undefined) this.#publish(this.#config, undefined, [errorMessage(error)]);
      return false;
    }
  }

  /** What isn't known stays as it was: the last config counts until there is another, or it is certain that there is none. */
  #readConfig(): void {
    const { source, store, clock, logger } = this.#deps;
    const current = source.current();
    if (current !== undefined) {
      this.#absentSinceMs = undefined;
      this.#config = current;
      return;
    }
    if (!source.known()) {
      this.#absentSinceMs = undefined;
      if (this.#config === undefined) {
        this.#config = store.config();
        if (this.#config !== undefined)
          logger.info('using the config that was kept', { generation: this.#config.metadata?.generation });
      }
      return;
    }
    this.#absentSinceMs ??= clock.monotonic();
    this.#config ??= store.config();
    if (clock.monotonic() - this.#absentSinceMs < ABSENCE_MS) return;
    this.#config = undefined;
  }

  /** There is certainly none: the node is no longer linked, and keeps nothing of ours. */
  async #withoutConfig(): Promise<boolean> {
    const { source, network, store, logger } = this.#deps;
    if (!source.known()) return true;
    if (this.#appliedGeneration === undefined && store.config() === undefined) return true;
    logger.info('there is no config any more, taking the network away');
    const errors = await network.remove(this.#interest.protocol);
    if (errors.length > 0) {
      logger.error('not everything could be taken away', { errors });
      return false;
    }
    store.clear();
    this.#appliedGeneration = undefined;
    this.#saved = '';
    return true;
  }

  #detect({ spec }: NodeConfig, around: Surroundings, errors: string[]): NodeConfigDetected | undefined {
    try {
      return detectUnderlay(spec.detection, around);
    } catch (error) {
      errors.push(`detection: ${errorMessage(error)}`);
      return undefined;
    }
  }

  /** Undefined when the config has no plan: then nothing is changed. */
  async #apply(config: NodeConfig, around: Surroundings): Promise<SyncResult | undefined> {
    const { network, prober, clock, logger } = this.#deps;
    const { spec } = config;
    if (spec.devices === undefined) return undefined;
    if (spec.devices.length === 0) return this.#clear(config);
    this.#chooseGateways(spec.gateways ?? []);
    const inspectTable = this.#inspectTable;
    this.#inspectTable = false;
    const synced = await network.sync({ spec, routes: routesThrough(spec, this.#choices), around, inspectTable });
    this.#follow(config);
    const probes = probePlan(spec);
    prober.follow(probes);
    const result = { ...synced, errors: [...synced.errors, ...probes.problems] };
    if (result.changeCount > 0) {
      this.#lastChangeTime = new Date(clock.now()).toISOString();
      logger.info('network changed', { count: result.changeCount, drift: result.driftCount, changes: result.changes });
    }
    if (result.errors.length > 0) logger.error('not everything could be applied', { errors: result.errors });
    else this.#keep(config);
    this.#drift += result.driftCount;
    this.#appliedGeneration = config.metadata?.generation;
    return result;
  }

  /** A plan that wants nothing: the node's network becomes what it was before. */
  async #clear(config: NodeConfig): Promise<SyncResult> {
    const { network, prober, store, logger } = this.#deps;
    const protocols = new Set([this.#interest.protocol, ownershipOf(config.spec).protocol]);
    const errors: string[] = [];
    for (const protocol of protocols) errors.push(...(await network.remove(protocol)));
    this.#follow(config);
    this.#choices = new Map();
    prober.follow(probePlan(config.spec));
    if (errors.length > 0) logger.error('not everything could be taken away', { errors });
    else store.clear();
    this.#saved = '';
    this.#appliedGeneration = config.metadata?.generation;
    return { changes: [], changeCount: 0, driftCount: 0, errors };
  }

  #chooseGateways(gateways: NonNullable<NodeConfig['spec']['gateways']>): void {
    const { prober, clock, logger, observer } = this.#deps;
    const now = new Date(clock.now()).toISOString();
    const choices = chooseGateways(gateways, this.#choices, (ip) => prober.alive(ip), now);
    for (const [cluster, { nodeName, switchedTime }] of choices) {
      if (switchedTime !== now) continue;
      logger.warn('gateway does not answer, using another one', { cluster, node: nodeName });
      observer.gatewaySwitched(cluster);
    }
    this.#choices = choices;
  }

  /** What to look out for: our devices, and those below them. */
  #follow({ spec }: NodeConfig): void {
    const names = new Set((spec.devices ?? []).flatMap(({ name, bindDev }) => [name, bindDev]));
    const indexes = this.#deps.kernel.links().flatMap(({ name, index }) => (names.has(name) ? [index] : []));
    this.#interest = { names, indexes: new Set(indexes), protocol: ownershipOf(spec).protocol };
  }

  /** The last good one is for starts without an API server. */
  #keep(config: NodeConfig): void {
    const { uid = '', generation = 0 } = config.metadata ?? {};
    const version = `${uid} ${generation}`;
    if (version === this.#saved) return;
    this.#deps.store.saveConfig(config);
    this.#saved = version;
  }

  #publish(config: NodeConfig, detected: NodeConfigDetected | undefined, errors: readonly string[]): void {
    const { publisher, prober, clock } = this.#deps;
    publisher.publish(config, {
      appliedGeneration: this.#appliedGeneration,
      lastChangeTime: this.#lastChangeTime,
      lastSyncTime: new Date(clock.now()).toISOString(),
      detected,
      planned: config.spec.devices !== undefined,
      driftRepaired: this.#drift,
      errors,
      peers: prober.report(),
      activeGateways: activeGateways(this.#choices),
    });
  }
}

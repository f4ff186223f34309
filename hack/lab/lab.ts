import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { clientAddresses, hostAddresses } from './addresses.js';
import { ensureBinaries, type Binaries } from './binaries.js';
import { startLightCluster } from './boot.js';
import { LabCluster } from './cluster.js';
import { startFullCluster } from './full/start.js';
import { configureBridge, createNamespace, inNamespace, namespaceName, reserveBlock } from './network.js';
import { compileLabOptions, type LabConfig, type LabOptions } from './options.js';
import { instanceFingerprint } from './paths.js';
import { planClusters, type ClusterPlan } from './plan.js';
import { checkPrerequisites } from './prerequisites.js';
import { MARK, identify, isAlive } from './processes.js';
import { StateStore, type InstanceState } from './state.js';
import { Supervisor, type LabProcess } from './supervisor.js';
import { tearDown } from './teardown.js';

/** Options of {@link Lab.spawnIn}. */
export interface SpawnOptions {
  /** Receives what the process writes. @default a file in the instance's folder */
  readonly logFile?: string;
  /** Added to this program's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Unique name. @default made from the command's name and a number */
  readonly name?: string;
}

/** A running lab: a host cluster and its member clusters. */
export class Lab {
  readonly instance: string;
  readonly config: LabConfig;
  /** Address of the root namespace on the lab's network: API servers reach a program that runs there by it. */
  readonly hostAddress: string;
  /** Network namespace for clients and for whatever makes load. */
  readonly clientNamespace: string;
  /** Address of the client namespace. */
  readonly clientAddress: string;
  readonly clusters: readonly LabCluster[];
  readonly #store: StateStore;
  readonly #supervisor: Supervisor;
  #spawned = 0;

  private constructor(store: StateStore, state: InstanceState & { block: number }) {
    const { config, block } = state;
    this.#store = store;
    this.#supervisor = new Supervisor(store);
    this.config = config;
    this.instance = config.instance;
    this.hostAddress = hostAddresses(block, config.family)[0] ?? '';
    this.clientAddress = clientAddresses(block, config.family)[0] ?? '';
    this.clientNamespace = namespaceName(block, 'client');
    this.clusters = planClusters(config, block).map(
      (plan) => new LabCluster({ plan, supervisor: this.#supervisor, binaries: state.binaries[plan.name] ?? {} }),
    );
  }

  /**
   * Starts a lab and resolves when every cluster is ready for pods.
   * @throws Error that names the failing component with the end of its log; nothing of the lab is left then.
   */
  static async up(options: LabOptions = {}): Promise<Lab> {
    const config = compileLabOptions(options);
    const log = options.log ?? (() => undefined);
    checkPrerequisites(config);
    const store = new StateStore(config.instance);
    const creator = identify(process.pid) ?? { pid: process.pid, startTicks: '' };
    const initial: InstanceState = { config, phase: 'starting', creator, binaries: {} };
    store.claim(initial);
    try {
      const binaries = await binariesByCluster(config, log);
      const block = await reserveBlock(instanceFingerprint(config.instance));
      const state = { ...initial, binaries, block };
      store.save(state);
      const plans = planClusters(config, block);
      await createNetwork(config, block, plans);
      const lab = new Lab(store, state);
      await Promise.all(plans.map((plan) => lab.#boot(plan, binaries[plan.name] ?? {}, log)));
      store.save({ ...state, phase: 'ready' });
      return lab;
    } catch (error) {
      log('up failed; cleaning up');
      await tearDown(store, config.instance);
      throw error;
    }
  }

  /** Opens a lab that another process started. @throws Error when there is none, or it isn't complete. */
  static open(instance = 'default'): Lab {
    const store = new StateStore(instance);
    const state = store.load();
    if (state === undefined) throw new Error(`there is no lab "${instance}"`);
    if (state.block === undefined || state.phase !== 'ready') throw new Error(`the lab "${instance}" isn't complete`);
    return new Lab(store, { ...state, block: state.block });
  }

  /** Removes an instance, also one that was left behind by a crash. Without one it does nothing. */
  static async down(instance = 'default'): Promise<void> {
    await tearDown(new StateStore(instance), instance);
  }

  /** A cluster by name: `host`, `member1`, … */
  cluster(name: string): LabCluster {
    const found = this.clusters.find((cluster) => cluster.name === name);
    if (found === undefined) throw new Error(`the lab has no cluster ${name}`);
    return found;
  }

  /** The host cluster. */
  get host(): LabCluster {
    return this.cluster('host');
  }

  /** The member clusters in order. */
  get members(): readonly LabCluster[] {
    return this.clusters.slice(1);
  }

  /**
   * Starts a program in a namespace of the lab: `client`, the name of a cluster or of a machine, or `root` for the root
   * namespace.
   * It is ended by {@link down} at the latest, also when this program has crashed before.
   */
  spawnIn(where: string, command: string, args: readonly string[], options: SpawnOptions = {}): Promise<LabProcess> {
    this.#spawned += 1;
    const base = command.split('/').at(-1) ?? 'program';
    const name = `${where}.${options.name ?? `${base}-${process.pid}-${this.#spawned}`}`;
    return this.#supervisor.start({
      name,
      namespace: where === 'root' ? null : this.namespaceOf(where),
      command,
      args,
      env: options.env ?? {},
      transient: true,
      logFile: options.logFile ?? join(this.#store.directory, 'client', `${name}.log`),
    });
  }

  /** Runs a command in the foreground of this terminal with the environment of a cluster, and returns its exit code. */
  exec(where: string, command: string, args: readonly string[]): Promise<number> {
    const [program, programArgs] = inNamespace(this.namespaceOf(where), command, args);
    const cluster = where === 'client' ? this.host : this.cluster(where);
    const env = { ...process.env, ...cluster.environment(), [MARK]: this.#store.directory };
    const child = spawn(program, programArgs, { stdio: 'inherit', env });
    return new Promise((done, failed) => {
      child.once('error', failed);
      child.once('exit', (code) => done(code ?? 1));
    });
  }

  /** The network namespace of a cluster's control plane, of a machine, or of `client`. */
  namespaceOf(where: string): string {
    if (where === 'client') return this.clientNamespace;
    const machine = this.clusters.flatMap(({ machines }) => machines).find(({ name }) => name === where);
    return machine?.namespace ?? this.cluster(where).namespace;
  }

  /** Tells which processes run; programs of {@link spawnIn} are left out once they have ended. */
  processes(): { readonly name: string; readonly pid: number; readonly alive: boolean }[] {
    const entries = this.#store.processes().map(({ spec, identity }) => ({
      entry: { name: spec.name, pid: identity.pid, alive: isAlive(identity) },
      transient: spec.transient === true,
    }));
    return entries.filter(({ entry, transient }) => entry.alive || !transient).map(({ entry }) => entry);
  }

  /** Closes this program's idle connections; the lab goes on. */
  close(): void {
    for (const cluster of this.clusters) cluster.close();
  }

  /** Removes the lab with everything that belongs to it. */
  async down(): Promise<void> {
    for (const cluster of this.clusters) cluster.close();
    await tearDown(this.#store, this.instance);
  }

  async #boot(plan: ClusterPlan, binaries: Binaries, log: (line: string) => void): Promise<void> {
    const started = performance.now();
    const cluster = this.cluster(plan.name);
    const proxyAddresses = [this.hostAddress, this.clientAddress];
    const request = { plan, config: this.config, binaries, supervisor: this.#supervisor, cluster, proxyAddresses };
    await (this.config.full ? startFullCluster(request, log) : startLightCluster(request));
    log(`${plan.name} is ready (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  }
}

async function binariesByCluster(config: LabConfig, log: (line: string) => void): Promise<Record<string, Binaries>> {
  const byVersion = new Map<string, Binaries>();
  const result: Record<string, Binaries> = {};
  for (const { name } of planClusters(config, 0)) {
    const kubeVersion = config.kubeVersions[name] ?? config.kubeVersion;
    const binaries = byVersion.get(kubeVersion) ?? (await ensureBinaries({ full: config.full, kubeVersion, log }));
    byVersion.set(kubeVersion, binaries);
    result[name] = binaries;
  }
  return result;
}

async function createNetwork(config: LabConfig, block: number, plans: readonly ClusterPlan[]): Promise<void> {
  const gateways = hostAddresses(block, config.family);
  await configureBridge(block, gateways);
  const client = { namespace: namespaceName(block, 'client'), addresses: clientAddresses(block, config.family) };
  const machines = [client, ...plans.flatMap((plan) => plan.machines)];
  for (const { namespace, addresses } of machines) await createNamespace(block, namespace, addresses, gateways);
}

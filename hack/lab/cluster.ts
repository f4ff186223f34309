import { delimiter, dirname, join } from 'node:path';
import type { Addresses, ClusterRanges } from './addresses.js';
import { LabApi, LabApiError } from './api.js';
import type { Binaries } from './binaries.js';
import { clusterFiles, processName, programPath } from './control-plane.js';
import { importImages } from './full/containerd.js';
import { kwokNodeObject, type KwokNode } from './kwok.js';
import type { Component } from './options.js';
import type { ClusterPlan, NodePlan } from './plan.js';
import { isAlive, pauseProcess, signalProcess } from './processes.js';
import { run, waitFor, type CommandResult, type RunOptions } from './run.js';
import type { Supervisor } from './supervisor.js';
import { createUser, type UserRequest } from './users.js';

const READY_LIMIT_MS = 120_000;

/** What a {@link LabCluster} is made of. */
export interface ClusterDeps {
  readonly plan: ClusterPlan;
  readonly binaries: Binaries;
  readonly supervisor: Supervisor;
}

/** One running cluster of a lab. */
export class LabCluster {
  readonly name: string;
  /** Works from the root namespace and from every namespace of the lab; needs no other file. */
  readonly kubeconfigPath: string;
  /** Where the cluster keeps its files, logs among them. */
  readonly directory: string;
  /** URL of the API server. */
  readonly server: string;
  /** Network namespace of the control plane. */
  readonly namespace: string;
  /** Addresses of the control plane's machine. */
  readonly addresses: Addresses;
  /** Pod and service CIDRs. */
  readonly ranges: ClusterRanges;
  /** Machines of the cluster; the control plane is on the first one. A light cluster has just that one. */
  readonly machines: readonly NodePlan[];
  readonly #deps: ClusterDeps;
  #api: LabApi | undefined;

  constructor(deps: ClusterDeps) {
    const { plan } = deps;
    this.#deps = deps;
    this.name = plan.name;
    this.directory = plan.directory;
    this.kubeconfigPath = clusterFiles(plan.directory).kubeconfig;
    this.server = plan.server;
    this.namespace = plan.machines[0].namespace;
    this.addresses = plan.machines[0].addresses;
    this.ranges = plan.ranges;
    this.machines = plan.machines;
  }

  /** A plain client with all rights. */
  get api(): LabApi {
    this.#api ??= new LabApi(this.kubeconfigPath);
    return this.#api;
  }

  /** Runs kubectl with all rights from the root namespace. @throws Error with its words when it fails. */
  kubectl(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const kubectl = programPath(this.#deps.binaries, 'kubectl');
    return run(kubectl, args, { ...options, env: { ...process.env, ...options.env, ...this.environment() } });
  }

  /** Environment in which plain `kubectl` talks to this cluster. */
  environment(): Record<string, string> {
    const folder = dirname(programPath(this.#deps.binaries, 'kubectl'));
    return {
      KUBECONFIG: this.kubeconfigPath,
      // Else kubectl keeps what it finds out about an API server in the user's home.
      KUBECACHEDIR: join(this.directory, 'kubectl-cache'),
      PATH: [folder, process.env['PATH'] ?? ''].join(delimiter),
    };
  }

  /** The API server's metrics in the Prometheus text format. */
  metrics(): Promise<string> {
    return this.api.text('GET', '/metrics', { timeoutMs: 30_000 });
  }

  /** Id of a component's process; `machine` counts from 1 and matters for what runs on every machine. */
  pid(component: Component, machine = 1): number {
    return this.#deps.supervisor.identity(processName(this.name, component, machine)).pid;
  }

  /** Log file of a component. */
  logFile(component: Component, machine = 1): string {
    return this.#deps.supervisor.logFile(processName(this.name, component, machine));
  }

  /** Ends a component; resolves when its process is gone. */
  async stopComponent(component: Component, signal: NodeJS.Signals = 'SIGTERM', machine = 1): Promise<void> {
    await this.#deps.supervisor.stop(processName(this.name, component, machine), signal);
  }

  /** Starts a stopped component again with the same flags; an API server is ready when this resolves. */
  async startComponent(component: Component, machine = 1): Promise<void> {
    await this.#deps.supervisor.restart(processName(this.name, component, machine));
    if (component === 'kube-apiserver') await this.waitForApiServer();
  }

  /** Starts a component again if it has ended by itself, as the kubelet does with the static pods of a control plane. */
  async reviveComponent(component: Component, machine = 1): Promise<void> {
    const { supervisor } = this.#deps;
    const name = processName(this.name, component, machine);
    if (!isAlive(supervisor.identity(name))) await supervisor.restart(name);
  }

  /** Freezes a component: its connections stay open, but nothing answers. Resolves when it does nothing any more. */
  async pauseComponent(component: Component, machine = 1): Promise<void> {
    await pauseProcess(this.#deps.supervisor.identity(processName(this.name, component, machine)));
  }

  /** Lets a paused component go on. */
  resumeComponent(component: Component, machine = 1): void {
    signalProcess(this.#deps.supervisor.identity(processName(this.name, component, machine)), 'SIGCONT');
  }

  /** Kills the API server at once, as a crash would; SIGTERM lets it finish what it does. */
  stopApiServer(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.stopComponent('kube-apiserver', signal);
  }

  /** Starts the API server again and waits until it is ready. */
  startApiServer(): Promise<void> {
    return this.startComponent('kube-apiserver');
  }

  /** Resolves when the API server says that it is ready. */
  async waitForApiServer(timeoutMs: number = READY_LIMIT_MS): Promise<void> {
    const name = processName(this.name, 'kube-apiserver');
    const probe = async (): Promise<true> => {
      await this.api.text('GET', '/readyz', { timeoutMs: 2_000 });
      return true;
    };
    const check = (): void => this.#deps.supervisor.assertRunning(name);
    await waitFor(`API server of ${this.name}`, probe, { timeoutMs, check });
  }

  /** Adds nodes that KWOK plays; resolves when they are Ready. */
  async addKwokNodes(nodes: readonly KwokNode[], timeoutMs: number = READY_LIMIT_MS): Promise<void> {
    for (const node of nodes) await this.api.json('POST', '/api/v1/nodes', { body: kwokNodeObject(node) });
    await this.waitForNodes(
      nodes.map((node) => node.name),
      timeoutMs,
    );
  }

  /** Resolves when all nodes of these names are Ready. */
  async waitForNodes(names: readonly string[], timeoutMs: number = READY_LIMIT_MS): Promise<void> {
    for (const name of names) {
      const probe = async (): Promise<true | undefined> =>
        isReady(await this.api.json('GET', `/api/v1/nodes/${name}`)) || undefined;
      await waitFor(`node ${name} of ${this.name}`, probe, { timeoutMs });
    }
  }

  /** Removes a node object. */
  async removeNode(name: string): Promise<void> {
    await this.api.json('DELETE', `/api/v1/nodes/${name}`);
  }

  /** Makes a namespace with its default service account; one that exists is fine. */
  async ensureNamespace(name: string): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    try {
      await this.api.json('POST', '/api/v1/namespaces', { body });
    } catch (error) {
      if (!(error instanceof LabApiError) || error.status !== 409) throw error;
    }
    const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
    await waitFor(`service account of ${name}`, () => this.api.json('GET', account), { timeoutMs: READY_LIMIT_MS });
  }

  /** Makes another user and returns the path of its kubeconfig. */
  addUser(request: UserRequest): Promise<string> {
    return createUser(this, request);
  }

  /** Loads an archive of images into the container runtime of every machine of a full cluster. */
  async importImages(archive: string): Promise<void> {
    for (const machine of this.machines) await importImages(machine, this.#deps.binaries, archive);
  }

  /** Closes the client's idle connections. */
  close(): void {
    this.#api?.close();
  }
}

/** Whether an object's condition `Ready` is True. */
export function isReady(object: unknown): boolean {
  const { status } = object as { status?: { conditions?: { type: string; status: string }[] } };
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
}

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodeFlagsOf } from '../../hack/lab/node-flags.js';
import type { NodeConfigSpec, NodeConfigStatus } from '../../src/apis/kosmos/v1alpha1/node-config.js';
import { eventually } from '../support/eventually.js';

const run = promisify(execFile);
const AGENT = 'dist/src/bin/agent.js';
const HUB = 'hub';
const STOP_LIMIT_MS = 5_000;

/** A node of the lab: a network namespace, with one pod in another. */
export interface LabNode {
  /** Also the name of its NodeConfig. */
  readonly name: string;
  readonly ip: string;
  readonly ip6: string;
  /** Blocks of pod addresses, and in each the addresses of the node and of the pod. */
  readonly pods: readonly { readonly block: string; readonly gateway: string; readonly pod: string }[];
}

/** What came of a command. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
}

/**
 * Nodes and pods made of network namespaces, joined by a bridge in a namespace of its own; nothing of it is in the
 * machine's own namespace. Agents run in it as they do on real nodes, with their config from a file.
 */
export class KernelLab {
  readonly directory = mkdtempSync(join(tmpdir(), 'kosmos-netns-'));
  readonly #instance: string;
  readonly #nodes: readonly LabNode[];
  readonly #processes = new Map<string, ChildProcess>();
  #configs = 0;

  private constructor(instance: string, nodes: readonly LabNode[]) {
    this.#instance = instance;
    this.#nodes = nodes;
  }

  /** Makes the namespaces. `instance` is for one test file, at most five characters. */
  static async up(instance: string, nodes: readonly LabNode[]): Promise<KernelLab> {
    const lab = new KernelLab(instance, nodes);
    await lab.#removeNamespaces();
    await lab.#make();
    await lab.#settled();
    return lab;
  }

  get nodes(): readonly LabNode[] {
    return this.#nodes;
  }

  node(name: string): LabNode {
    const found = this.#nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`there is no node ${name}`);
    return found;
  }

  /** Ends all processes and removes everything. */
  async down(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((name) => this.stop(name)));
    await this.#removeNamespaces();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Runs a command in the namespace of a node, or of its pod (`NODE-pod`). Rejects when it fails. */
  async exec(place: string, ...command: readonly string[]): Promise<string> {
    const { stdout } = await run('nsenter', [`--net=${this.#path(place)}`, ...command], { maxBuffer: 64 << 20 });
    return stdout;
  }

  /** The same with its exit code. */
  async tryExec(place: string, ...command: readonly string[]): Promise<Outcome> {
    try {
      return { code: 0, stdout: await this.exec(place, ...command) };
    } catch (error) {
      const { code, stdout } = error as { readonly code?: unknown; readonly stdout?: string };
      return { code: typeof code === 'number' ? code : 1, stdout: stdout ?? '' };
    }
  }

  /** Runs a shell script in a namespace. */
  async script(place: string, text: string): Promise<string> {
    return this.exec(place, 'sh', '-ec', text);
  }

  /** Starts a program of ours in a namespace; its output goes to a file of that name. */
  start(name: string, place: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.directory, `${name}.log`), 'a');
    const child = spawn('nsenter', [`--net=${this.#path(place)}`, process.execPath, ...args], {
      stdio: ['ignore', log, log],
    });
    this.#processes.set(name, child);
    return child;
  }

  /** Ends a program; `SIGKILL` is a crash. */
  async stop(name: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#processes.get(name);
    this.#processes.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  }

  /** The agent's pid. */
  pid(name: string): number {
    return this.#processes.get(name)?.pid ?? 0;
  }

  startAgent(node: string): void {
    this.start(node, node, [
      ...nodeFlagsOf(AGENT),
      AGENT,
      ...['--node-config', this.#configFile(node), '--state-dir', join(this.directory, `state-${node}`)],
      ...['--health-address', '127.0.0.1', '--health-port', '4879'],
    ]);
  }

  /** Takes away what an agent has made, as an operator would. */
  async uninstallAgent(node: string): Promise<void> {
    await this.stop(node);
    await this.exec(node, process.execPath, AGENT, 'uninstall', '--state-dir', join(this.directory, `state-${node}`));
  }

  /** Gives an agent its config. Returns the generation that its status will show. */
  configure(node: string, spec: NodeConfigSpec): number {
    const generation = ++this.#configs;
    writeFileSync(this.#configFile(node), JSON.stringify({ metadata: { name: node, generation }, spec }));
    return generation;
  }

  /** Gives each node the config of its name, and waits until all are applied. */
  async apply(configs: ReadonlyMap<string, NodeConfigSpec>): Promise<void> {
    const generations = this.#nodes.map(({ name }) => this.configure(name, configs.get(name) ?? { devices: [] }));
    await Promise.all(this.#nodes.map(({ name }, index) => this.applied(name, generations[index] ?? 0)));
  }

  async applied(node: string, generation: number): Promise<void> {
    await eventually(
      () => {
        const status = this.status(node);
        const ready = status.conditions?.[0];
        if (status.observedGeneration !== generation || ready?.status !== 'True') {
          throw new Error(`${node}: ${JSON.stringify(status)}\n${this.log(node)}`);
        }
      },
      // Agents that all start at once on a busy machine need a while.
      { timeoutMs: 45_000 },
    );
  }

  status(node: string): NodeConfigStatus {
    try {
      return JSON.parse(readFileSync(`${this.#configFile(node)}.status`, 'utf8')) as NodeConfigStatus;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
  }

  log(name: string): string {
    return readFileSync(join(this.directory, `${name}.log`), 'utf8');
  }

  #configFile(node: string): string {
    return join(this.directory, `${node}.json`);
  }

  #namespace(place: string): string {
    return `kosmos-${this.#instance}-${place}`;
  }

  #path(place: string): string {
    return `/run/netns/${this.#namespace(place)}`;
  }

  async #make(): Promise<void> {
    const places = [HUB, ...this.#nodes.flatMap(({ name }) => [name, `${name}-pod`])];
    for (const place of places) {
      await run('ip', ['netns', 'add', this.#namespace(place)]);
      await this.script(place, 'ip link set lo up');
    }
    await this.script(HUB, 'ip link add br0 type bridge && ip link set br0 up');
    for (const node of this.#nodes) await this.#makeNode(node);
  }

  /** Until link-local addresses are known to be nobody else's; dumps would differ otherwise. */
  async #settled(): Promise<void> {
    for (const { name } of this.#nodes) {
      await eventually(async () => {
        if ((await this.exec(name, 'ip', 'addr', 'show', 'tentative')) !== '')
          throw new Error(`${name} waits for addresses`);
      });
    }
  }

  async #makeNode({ name, ip, ip6, pods }: LabNode): Promise<void> {
    const hub = this.#namespace(HUB);
    const index = this.#nodes.findIndex((node) => node.name === name);
    await this.script(
      name,
      `ip link add eth0 type veth peer name port${index} netns ${hub}
       ip link set eth0 up
       ip addr add ${ip}/16 dev eth0
       ip addr add ${ip6}/64 dev eth0 nodad
       ip route add default via 172.18.255.254
       ip -6 route add default via fd00:18::ffff
       ip link add pods type veth peer name eth0 netns ${this.#namespace(`${name}-pod`)}
       ip link set pods up`,
    );
    await this.script(HUB, `ip link set port${index} master br0 up`);
    await this.script(`${name}-pod`, 'ip link set eth0 up');
    for (const { block, gateway, pod } of pods) {
      const length = block.split('/')[1] ?? '';
      await this.script(name, `ip addr add ${gateway}/${length} dev pods ${pod.includes(':') ? 'nodad' : ''}`);
      await this.script(
        `${name}-pod`,
        `ip addr add ${pod}/${length} dev eth0 ${pod.includes(':') ? 'nodad' : ''}
         ip route add default via ${gateway}`,
      );
    }
  }

  async #removeNamespaces(): Promise<void> {
    const { stdout } = await run('ip', ['-json', 'netns', 'list']);
    const listed = JSON.parse(stdout === '' ? '[]' : stdout) as readonly { readonly name: string }[];
    for (const { name } of listed) {
      if (name.startsWith(`kosmos-${this.#instance}-`)) await run('ip', ['netns', 'delete', name]);
    }
  }
}

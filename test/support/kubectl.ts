import { spawn, type ChildProcess } from 'node:child_process';
import type { LabCluster } from '../../hack/lab/cluster.js';
import { run, type CommandResult, type RunOptions } from '../../hack/lab/run.js';

/** How kubectl opens sessions: over WebSocket, as new ones do, or over SPDY, as old ones did. */
export const PROTOCOLS = {
  WebSocket: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'true', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'true' },
  SPDY: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' },
} as const;
export type Protocol = keyof typeof PROTOCOLS;

/** A kubectl that goes on in the background. */
export interface RunningKubectl {
  readonly child: ChildProcess;
  /** What it has written so far, to both of its outputs. */
  output(): string;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number>;
}

/** kubectl against one cluster of a lab, in one namespace. */
export class Kubectl {
  readonly #cluster: LabCluster;
  readonly #namespace: string;
  readonly #program: string;
  readonly #running = new Set<ChildProcess>();

  /** @param program - file name of a kubectl; by default the one of the cluster's own version. */
  constructor(cluster: LabCluster, namespace: string, program = 'kubectl') {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#program = program;
  }

  /** Runs it to its end; never throws because of its exit code. */
  run(args: readonly string[], protocol: Protocol = 'WebSocket', options: RunOptions = {}): Promise<CommandResult> {
    const env = { ...process.env, ...PROTOCOLS[protocol], ...options.env, ...this.#cluster.environment() };
    return run(this.#program, ['-n', this.#namespace, ...args], { ...options, env, allowFailure: true });
  }

  /** What it writes. @throws Error when it fails */
  async output(args: readonly string[], protocol: Protocol = 'WebSocket', options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, protocol, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr || stdout}`);
    return stdout;
  }

  /** Runs it on a terminal of 33 lines and 111 columns, and types `input`; returns what the terminal shows. */
  async onTerminal(args: readonly string[], input: string, protocol: Protocol): Promise<string> {
    const command = [this.#program, '-n', this.#namespace, ...args].map((word) => `'${word}'`).join(' ');
    const child = this.#spawn('script', ['-qec', `stty rows 33 cols 111; ${command}`, '/dev/null'], protocol);
    let shown = '';
    child.stdout?.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    child.stdin?.on('error', () => undefined);
    child.stdin?.write(input);
    await new Promise((resolve) => child.once('close', resolve));
    return shown;
  }

  start(args: readonly string[], protocol: Protocol = 'WebSocket'): RunningKubectl {
    const child = this.#spawn(this.#program, ['-n', this.#namespace, ...args], protocol);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    }
    const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
    return { child, output: () => text, ended };
  }

  /** Ends what still runs in the background. */
  close(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }

  #spawn(command: string, args: readonly string[], protocol: Protocol): ChildProcess {
    const env = { ...process.env, ...this.#cluster.environment(), ...PROTOCOLS[protocol] };
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    return child;
  }
}

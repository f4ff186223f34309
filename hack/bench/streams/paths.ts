import { spawn, type ChildProcess } from 'node:child_process';
import type { Lab } from '../../lab/lab.js';
import { PIPED_SUFFIX } from './rewrite.js';
import { LOG_LINE_BYTES, LOG_LINES, NAMESPACE, POD } from './stage.js';

/** The ways to the container: through the manager, through the pipe, and straight to the member. */
export const PATHS = ['manager', 'pipe', 'direct'] as const;
export type Path = (typeof PATHS)[number];

const EXEC_BYTES = 256 * 1024 * 1024;
const MIB = 1024 * 1024;

/** How much was moved, and how long that took. */
export interface Transfer {
  readonly mib: number;
  readonly seconds: number;
}

/** Runs kubectl on one of the ways. */
export class PathRunner {
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Reads the whole log of the pod. */
  async logs(path: Path): Promise<Transfer> {
    return this.#transfer(path, (pod) => ['logs', pod], LOG_LINES * LOG_LINE_BYTES);
  }

  /** Lets a program in the pod write. */
  async exec(path: Path): Promise<Transfer> {
    return this.#transfer(
      path,
      (pod) => ['exec', pod, '--', 'head', '-c', String(EXEC_BYTES), '/dev/zero'],
      EXEC_BYTES,
    );
  }

  /** An open session whose program echoes lines. */
  echo(path: Path): EchoSession {
    return new EchoSession(this.#kubectl(path, (pod) => ['exec', '-i', pod, '--', 'cat']));
  }

  async #transfer(path: Path, args: (pod: string) => readonly string[], bytes: number): Promise<Transfer> {
    const startedAt = performance.now();
    const child = this.#kubectl(path, args);
    let size = 0;
    child.stdout?.on('data', (chunk: Buffer) => (size += chunk.length));
    let words = '';
    child.stderr?.on('data', (chunk: Buffer) => (words += chunk.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0 || size !== bytes)
      throw new Error(`${path}: ${size} of ${bytes} bytes came, code ${String(code)}: ${words}`);
    return { mib: bytes / MIB, seconds: (performance.now() - startedAt) / 1000 };
  }

  #kubectl(path: Path, args: (pod: string) => readonly string[]): ChildProcess {
    const cluster = path === 'direct' ? this.#lab.cluster('member1') : this.#lab.host;
    const pod = path === 'pipe' ? `${POD}${PIPED_SUFFIX}` : POD;
    const env = { ...process.env, ...cluster.environment() };
    return spawn('kubectl', ['-n', NAMESPACE, ...args(pod)], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  }
}

/** A program at the other end that sends back what it gets. */
export class EchoSession {
  readonly #child: ChildProcess;
  #onLine: () => void = () => undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on('data', () => this.#onLine());
  }

  /** Milliseconds until one line has come back. */
  async ping(): Promise<number> {
    const startedAt = performance.now();
    await new Promise<void>((resolve) => {
      this.#onLine = resolve;
      this.#child.stdin?.write('ping\n');
    });
    return performance.now() - startedAt;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}

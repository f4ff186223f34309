import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PREFIX = 'kosmos-bench-';

/** Network namespaces of a benchmark; whatever it does to the kernel stays in them. */
export class Namespaces {
  readonly #names: readonly string[];

  private constructor(names: readonly string[]) {
    this.#names = names;
  }

  static async make(...names: readonly string[]): Promise<Namespaces> {
    const made = new Namespaces(names);
    await made.remove();
    for (const name of names) {
      await run('ip', ['netns', 'add', PREFIX + name]);
      await made.script(name, 'ip link set lo up');
    }
    return made;
  }

  /** What has to come before a command to run it in a namespace. */
  enter(name: string): readonly [string, string] {
    return ['nsenter', `--net=/run/netns/${PREFIX}${name}`];
  }

  /** The full name of a namespace, for `ip`. */
  path(name: string): string {
    return PREFIX + name;
  }

  /** Runs a shell script; returns its output. */
  async script(name: string, text: string): Promise<string> {
    return this.exec(name, 'sh', '-ec', text);
  }

  async exec(name: string, ...command: readonly string[]): Promise<string> {
    const [program, ...args] = [...this.enter(name), ...command];
    return (await run(program, args, { maxBuffer: 64 << 20 })).stdout;
  }

  start(name: string, ...command: readonly string[]): ChildProcess {
    const [program, ...args] = [...this.enter(name), ...command];
    return spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  async remove(): Promise<void> {
    const { stdout } = await run('ip', ['-json', 'netns', 'list']);
    const present = JSON.parse(stdout === '' ? '[]' : stdout) as readonly { readonly name: string }[];
    for (const name of this.#names) {
      if (present.some((one) => one.name === PREFIX + name)) await run('ip', ['netns', 'delete', PREFIX + name]);
    }
  }
}

/** Ends a process of the benchmark. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await exit;
}

import { spawn } from 'node:child_process';
import { KernelError } from '../netlink/kernel-error.js';
import { OWN_TABLE, renderRemoval } from './render.js';

/** What the agent needs of nftables. */
export interface Nftables {
  /** The agent's table as the kernel has it; undefined when there is none. Rejects with KernelError. */
  list(): Promise<string | undefined>;
  /** Runs one transaction. Rejects with KernelError, and nothing was changed then. */
  run(text: string): Promise<void>;
  /** Takes the agent's table away, if it is there. */
  remove(): Promise<void>;
}

const TIME_LIMIT_MS = 10_000;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** nftables by the program `nft`, which speaks the kernel's protocol for it. */
export class NftProgram implements Nftables {
  readonly #program: string;

  constructor(program = 'nft') {
    this.#program = program;
  }

  async list(): Promise<string | undefined> {
    const tables = await this.#run(['list', 'tables', OWN_TABLE.family]);
    if (!tables.split('\n').includes(`table ${OWN_TABLE.family} ${OWN_TABLE.name}`)) return undefined;
    return this.#run(['list', 'table', OWN_TABLE.family, OWN_TABLE.name]);
  }

  async run(text: string): Promise<void> {
    await this.#run(['-f', '-'], text);
  }

  async remove(): Promise<void> {
    if ((await this.list()) !== undefined) await this.run(renderRemoval());
  }

  async #run(args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.#spawn(args, input);
    if (code !== 0) throw new KernelError(`nft ${args.join(' ')}: ${firstLine(stderr)}`);
    return stdout;
  }

  #spawn(args: readonly string[], input: string): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.#program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: TIME_LIMIT_MS });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      child.once('error', (error) => reject(new KernelError("nft can't be run", { cause: error })));
      child.once('close', (code) => resolve({ code, stdout, stderr }));
      // It may end before it has read everything; its exit code tells.
      child.stdin.once('error', () => undefined);
      child.stdin.end(input);
    });
  }
}

function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim() !== '') ?? 'failed without a word';
}

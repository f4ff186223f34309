import { spawn, type SpawnOptions } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a command ended, and what it wrote. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@link run}. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the command's standard input. */
  readonly input?: string | Buffer;
  /** After this the command is killed. @default 60000 */
  readonly timeoutMs?: number;
  /** Returns a result with a non-zero code instead of throwing. @default false */
  readonly allowFailure?: boolean;
}

/** Runs a command to its end. @throws Error with the command's own words when it fails or takes too long. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const spawnOptions: SpawnOptions = { stdio: ['pipe', 'pipe', 'pipe'] };
  if (options.cwd !== undefined) spawnOptions.cwd = options.cwd;
  if (options.env !== undefined) spawnOptions.env = options.env;
  const result = await new Promise<CommandResult & { signal: string | null }>((done, failed) => {
    const child = spawn(command, args, spawnOptions);
    // The "timeout" option of spawn keeps its timer when the command doesn't exist.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error) => {
      clearTimeout(timer);
      failed(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
      done({ code: code ?? 1, signal, stdout: text(stdout), stderr: text(stderr) });
    });
    // A command that ends without reading its input closes the pipe; its exit code tells what happened.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
  });
  if (result.code !== 0 && options.allowFailure !== true) {
    const why = result.signal === null ? `exit code ${result.code}` : `${result.signal}, limit ${timeoutMs} ms`;
    throw new Error(`${command} ${args.join(' ')} failed (${why}): ${(result.stderr || result.stdout).trim()}`);
  }
  return result;
}

/** Options of {@link waitFor}. */
export interface WaitOptions {
  readonly timeoutMs: number;
  /** @default 100 */
  readonly intervalMs?: number;
  /** Ends the wait early with an error, e.g. because a process died. */
  readonly check?: () => void;
}

/** Asks `probe` again until it returns something other than undefined. Errors of the probe mean "not yet". */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  options: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    options.check?.();
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${options.timeoutMs / 1000} s`, { cause: last });
    }
    await sleep(options.intervalMs ?? 100);
  }
}

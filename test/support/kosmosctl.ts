import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { LabCluster } from '../../hack/lab/cluster.js';
import { REPOSITORY } from '../../hack/lab/paths.js';
import { run, type CommandResult } from '../../hack/lab/run.js';

const PROGRAM = join(REPOSITORY, 'dist/src/bin/kosmosctl.js');
const LIMIT_MS = 240_000;

/** `kosmosctl` as somebody would run it who has the host's kubeconfig in `KUBECONFIG`. */
export class Kosmosctl {
  readonly #env: NodeJS.ProcessEnv;

  constructor(host: LabCluster) {
    this.#env = { ...process.env, KUBECONFIG: host.kubeconfigPath };
  }

  /** Runs it to its end; never throws because of its exit code. */
  run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    return run(process.execPath, [PROGRAM, ...args], {
      env: { ...this.#env, ...env },
      timeoutMs: LIMIT_MS,
      allowFailure: true,
    });
  }

  /** Runs it on a terminal, and types the input; both its outputs are what the terminal shows. */
  onTerminal(args: readonly string[], input: string): Promise<CommandResult> {
    const command = [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(' ');
    const options = { env: this.#env, timeoutMs: LIMIT_MS, allowFailure: true, input };
    return run('script', ['-qec', `stty cols 120; ${command}`, '/dev/null'], options);
  }

  /** What it prints. @throws Error with all that it said when it fails */
  async output(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`kosmosctl ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Runs something with a `PATH` in which the command `kosmosctl` is. */
  async withCommand<T>(action: (path: string) => Promise<T>): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'kosmosctl-'));
    try {
      const script = `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`;
      writeFileSync(join(folder, 'kosmosctl'), script, { mode: 0o755 });
      return await action([folder, process.env['PATH'] ?? ''].join(delimiter));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Starts it and ends it with a signal after a while, unless it has ended before; resolves with how it ended. */
  async runAndSignal(args: readonly string[], signal: NodeJS.Signals, afterMs: number): Promise<CommandResult> {
    const { ended, kill } = this.#spawn(args, {});
    const timer = setTimeout(() => kill(signal), afterMs);
    const result = await ended;
    clearTimeout(timer);
    return result;
  }

  /** Starts it; the caller may press Ctrl-C. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningCommand {
    const { ended, kill } = this.#spawn(args, env);
    return { ended, interrupt: () => kill('SIGINT') };
  }

  #spawn(
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ): { readonly ended: Promise<CommandResult>; readonly kill: (signal: NodeJS.Signals) => void } {
    const environment = { ...this.#env, ...env };
    const child = spawn(process.execPath, [PROGRAM, ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    const ended = new Promise<CommandResult>((resolve) =>
      child.once('close', (status) => resolve({ code: status ?? 1, ...output })),
    );
    return { ended, kill: (signal) => void child.kill(signal) };
  }
}

/** A command that has not ended yet. */
export interface RunningCommand {
  readonly ended: Promise<CommandResult>;
  /** As Ctrl-C does. */
  interrupt(): void;
}

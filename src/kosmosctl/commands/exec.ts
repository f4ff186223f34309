import { apiErrorOf } from '../../kube/api-error.js';
import { ExecStream, type ExecOutcome } from '../../kube/exec-stream.js';
import type { CliContext } from '../context.js';
import { CliError, usageError } from '../failure.js';
import { withContainer, type ContainerChoice, type ContainerTarget } from '../pod-target.js';

export interface ExecOptions extends ContainerChoice {
  readonly command: readonly string[];
  /** Pass the standard input on. */
  readonly stdin: boolean;
  readonly tty: boolean;
}

const FULL_PAUSE_MS = 20;

/** Runs a command in a container; ends with its exit code. */
export async function exec(options: ExecOptions, context: CliContext): Promise<void> {
  if (options.tty && !context.input.isTerminal) {
    throw usageError('--tty needs a terminal, and the standard input is none', 'Leave out --tty.');
  }
  await withContainer(options, context, (target) => runIn(target, options, context));
}

/** As the pods API takes it. */
export function execQuery({ command, stdin, tty }: ExecOptions, container: string): string {
  const query = new URLSearchParams({ container, stdout: 'true', stderr: String(!tty) });
  if (stdin) query.set('stdin', 'true');
  if (tty) query.set('tty', 'true');
  for (const word of command) query.append('command', word);
  return query.toString();
}

async function runIn(target: ContainerTarget, options: ExecOptions, context: CliContext): Promise<void> {
  const { terminal, signal } = context;
  const path = `${target.path}/exec?${execQuery(options, target.container)}`;
  let written: Promise<unknown> = Promise.resolve();
  const onOutput = (bytes: Uint8Array, to: 'out' | 'err'): void => {
    written = terminal.write(bytes, to);
  };
  const stream = await ExecStream.open(target.session.access, path, { onOutput }, signal);
  const over = new AbortController();
  const outcome = stream.outcome.finally(() => over.abort());
  try {
    const [ended] = await Promise.all([outcome, passInput(stream, options, context, over.signal)]);
    await written;
    signal.throwIfAborted();
    await conclude(ended, target, path, context);
  } finally {
    await stream.close();
  }
}

async function passInput(
  stream: ExecStream,
  options: ExecOptions,
  { input, clock }: CliContext,
  over: AbortSignal,
): Promise<void> {
  if (!(await stream.opened)) return;
  const cook = options.tty ? input.raw() : (): void => undefined;
  const fit = (): void => {
    const size = input.size();
    if (size !== undefined) stream.resize(size.columns, size.rows);
  };
  const stopFitting = options.tty ? input.onResize(fit) : (): void => undefined;
  try {
    if (options.tty) fit();
    if (!options.stdin) return;
    for await (const chunk of input.read(over)) {
      stream.send(chunk);
      while (stream.isFull && !over.aborted) await clock.sleep(FULL_PAUSE_MS);
    }
    stream.endInput();
  } finally {
    if (options.tty && !options.stdin) await stream.outcome;
    stopFitting();
    cook();
  }
}

async function conclude(
  ended: ExecOutcome,
  { transport }: ContainerTarget,
  path: string,
  context: CliContext,
): Promise<void> {
  switch (ended.kind) {
    case 'ended':
      context.setExitCode(ended.exitCode);
      return;
    case 'failed':
      throw new CliError(`the command could not be run: ${ended.message}`, {
        cure: 'Does the container have that program? Is the pod running?',
      });
    case 'broken':
      throw new CliError('the connection broke before the command had ended', {
        cure: 'It may still run; look at the network, and at: kosmosctl doctor',
      });
    case 'refused': {
      // The handshake of a WebSocket doesn't tell why it was refused.
      const { statusCode, body } = await transport.request({ method: 'GET', path, signal: context.signal });
      throw apiErrorOf(statusCode, body.toString('utf8'));
    }
  }
}

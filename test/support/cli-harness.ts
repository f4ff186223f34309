import type { CliContext, Terminal, TerminalInput } from '../../src/kosmosctl/context.js';
import type { Manifest } from '../../src/kosmosctl/manifests/installation.js';
import { runCli } from '../../src/kosmosctl/program/program.js';
import { systemClock, type Clock } from '../../src/lib/clock.js';

/** How a command line ended. */
export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CliHarnessOptions {
  /** What is written goes here too. */
  readonly files?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly crds?: readonly Manifest[];
  readonly signal?: AbortSignal;
  /** What comes through the standard input. */
  readonly input?: TerminalInput;
  /** What is answered to questions; without it nobody sits at the terminal. */
  readonly answer?: boolean;
  /** The system's when absent. */
  readonly clock?: Clock;
}

/** Runs `kosmosctl` in this process, with files and a terminal of its own. */
export async function runInProcess(args: readonly string[], options: CliHarnessOptions = {}): Promise<CliResult> {
  const {
    files: given = {},
    environment = {},
    crds = [],
    signal = new AbortController().signal,
    answer,
    clock = systemClock,
    input = typedInput(''),
  } = options;
  const files = given as Record<string, string>;
  const written = { out: '', err: '' };
  let own = 0;
  const terminal: Terminal = {
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    write: (bytes, to = 'out') => Promise.resolve(void (written[to] += Buffer.from(bytes).toString())),
    // Live steps would write to the real terminal.
    interactive: false,
    color: false,
    confirm: () => Promise.resolve(answer ?? false),
  };
  const context: CliContext = {
    ...{ terminal, input, environment, signal, clock, homeDirectory: '/home/somebody', version: '0.1.0' },
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' });
      return text;
    },
    writeFile: (path, text) => void (files[path] = text),
    appendFile: (path, text) => void (files[path] = `${files[path] ?? ''}${text}`),
    crds: () => crds,
    setExitCode: (code) => void (own = code),
  };
  const code = await runCli(args, context);
  return { code: code === 0 ? own : code, ...written };
}

/** An input that holds a text and ends. */
export function typedInput(text: string, more: Partial<TerminalInput> = {}): TerminalInput {
  return {
    isTerminal: false,
    read: async function* () {
      if (text !== '') yield await Promise.resolve(Buffer.from(text));
    },
    raw: () => () => undefined,
    size: () => undefined,
    onResize: () => () => undefined,
    ...more,
  };
}

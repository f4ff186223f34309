import type { Clock } from '../lib/clock.js';
import type { Manifest } from './manifests/installation.js';

/** Where the command line talks to whoever runs it. */
export interface Terminal {
  /** Results. */
  out(text: string): void;
  /** Progress, questions and errors. */
  err(text: string): void;
  /** Somebody sits before it and can answer. */
  readonly interactive: boolean;
  readonly color: boolean;
  /** Results as they come, of whatever kind; resolves when there is room for more. */
  write(bytes: Uint8Array, to?: 'out' | 'err'): Promise<void>;
  /** Asks a question that is answered with yes or no. */
  confirm(question: string): Promise<boolean>;
}

/** What is typed, or comes through a pipe. */
export interface TerminalInput {
  /** Somebody types it. */
  readonly isTerminal: boolean;
  /** Ends with the input, or when the signal aborts. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Each key comes as it is typed, also Ctrl-C, until the returned function is called. */
  raw(): () => void;
  /** Columns and rows; undefined when it is no terminal. */
  size(): TerminalSize | undefined;
  /** Tells of each new size, until the returned function is called. */
  onResize(listener: () => void): () => void;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** All that commands need from the world. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly input: TerminalInput;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @throws Error as Node's `readFileSync` does */
  readonly readFile: (path: string) => string;
  /** Makes the folder when it is missing; only the user may read the file. */
  readonly writeFile: (path: string, text: string) => void;
  readonly appendFile: (path: string, text: string) => void;
  readonly homeDirectory: string;
  readonly version: string;
  /** The CRDs of this version. */
  readonly crds: () => readonly Manifest[];
  /** Aborts when the user has had enough. */
  readonly signal: AbortSignal;
  /** The command's exit code, when it did what it should and still has something to complain about. */
  setExitCode(code: number): void;
}

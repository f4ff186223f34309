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
  /** Asks a question that is answered with yes or no. */
  confirm(question: string): Promise<boolean>;
}

/** All that commands need from the world. */
export interface CliContext {
  readonly terminal: Terminal;
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

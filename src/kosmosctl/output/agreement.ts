import type { Terminal } from '../context.js';
import { CliError, EXIT } from '../failure.js';

/** What is asked for, and what is said without it. */
export interface Agreement {
  /** For instance `the rights`. */
  readonly to: string;
  readonly question: string;
  readonly refused: string;
}

/** Asks whoever is at the terminal. @throws CliError when nobody is there, or says no */
export async function requireAgreement(terminal: Terminal, { to, question, refused }: Agreement): Promise<void> {
  if (!terminal.interactive) {
    throw new CliError(`nobody is there to agree to ${to}`, { cure: 'Add --yes.', exitCode: EXIT.usage });
  }
  if (!(await terminal.confirm(`\n${question}`))) throw new CliError(refused, { exitCode: EXIT.interrupted });
}

import type { Command } from 'commander';
import type { CliContext } from '../context.js';

/** Adds the commands that only look. */
export function addLookingCommands(_program: Command, _context: CliContext): void {
  return undefined;
}

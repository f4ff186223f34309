import type { CliContext } from '../context.js';
import { EXIT } from '../failure.js';
import { renderDocument } from '../output/format.js';
import { renderTable } from '../output/table.js';
import { explainError } from '../explain-error.js';

/** One thing that was looked at. */
export interface Finding {
  /** `host`, or `member1`. */
  readonly where: string;
  readonly what: string;
  readonly level: 'ok' | 'warning' | 'problem';
  readonly message: string;
  readonly cure?: string;
}

export const ok = (where: string, what: string, message: string): Finding => ({ where, what, level: 'ok', message });

export function bad(
  level: 'warning' | 'problem',
  at: Pick<Finding, 'where' | 'what'>,
  message: string,
  cure?: string,
): Finding {
  return { ...at, level, message, ...(cure !== undefined && { cure }) };
}

/** Looks at one thing; when that fails, this is what was found. */
export async function look(
  where: string,
  what: string,
  action: () => Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    const found = await action();
    return Array.isArray(found) ? (found as readonly Finding[]) : [found as Finding];
  } catch (error) {
    const { message, cure } = explainError(error);
    return [bad('problem', { where, what }, message, cure)];
  }
}

/** Prints what was found. With problems the command ends with a code of its own. */
export function printFindings(
  findings: readonly Finding[],
  format: 'json' | 'yaml' | undefined,
  context: CliContext,
): void {
  const { terminal } = context;
  if (findings.some(({ level }) => level === 'problem')) context.setExitCode(EXIT.problems);
  if (format !== undefined) {
    terminal.out(renderDocument({ findings }, format));
    return;
  }
  const rows = findings.map(({ level, where, what, message }) => [level, where, what, message]);
  terminal.out(renderTable(['STATUS', 'WHERE', 'WHAT', 'FOUND'], rows));
  const cures = findings.filter(({ cure }) => cure !== undefined);
  if (cures.length > 0) terminal.out('\nWhat to do:\n');
  for (const { where, what, cure = '' } of cures) terminal.out(`  ${where}, ${what}: ${cure}\n`);
}

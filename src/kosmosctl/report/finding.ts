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

const ORDER: readonly Finding['level'][] = ['problem', 'warning', 'ok'];

/** The worst first, else as they were found. */
export function worstFirst(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((one, other) => ORDER.indexOf(one.level) - ORDER.indexOf(other.level));
}

/** Prints what was found, and lets the command end with a code of its own when there are problems. */
export function printFindings(
  findings: readonly Finding[],
  format: 'json' | 'yaml' | undefined,
  context: CliContext,
): void {
  const { terminal } = context;
  judge(findings, context);
  if (format !== undefined) terminal.out(renderDocument({ findings }, format));
  else terminal.out(renderFindings(findings));
}

/** With problems the command ends with a code of its own. */
export function judge(findings: readonly Finding[], context: Pick<CliContext, 'setExitCode'>): void {
  if (findings.some(({ level }) => level === 'problem')) context.setExitCode(EXIT.problems);
}

/** A table, and what to do about each of them. */
export function renderFindings(findings: readonly Finding[]): string {
  const rows = findings.map(({ level, where, what, message }) => [level, where, what, message]);
  const cures = findings.filter(({ cure }) => cure !== undefined);
  return [
    renderTable(['STATUS', 'WHERE', 'WHAT', 'FOUND'], rows),
    ...(cures.length > 0 ? ['\nWhat to do:\n'] : []),
    ...cures.map(({ where, what, cure = '' }) => `  ${where}, ${what}: ${cure}\n`),
  ].join('');
}

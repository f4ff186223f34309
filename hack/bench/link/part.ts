import type { LinkBenchOptions } from './options.js';

/** A number, or several under names of their own. */
export type Figure = number | { readonly [name: string]: Figure };

/** One part of the benchmark. */
export interface LinkBenchPart {
  /** Under which its figures appear in the result, and by which it is asked for. */
  readonly name: string;
  /** Names of figures say their units. `log` is for what takes long. */
  run(options: LinkBenchOptions, log: (line: string) => void): Promise<Readonly<Record<string, Figure>>>;
}

/** One line for each figure: `planner.fullMs  123`. */
export function renderFigures(figures: Readonly<Record<string, Figure>>): string {
  const rows = flatten(figures);
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

function flatten(figures: Readonly<Record<string, Figure>>, prefix = ''): readonly (readonly [string, number])[] {
  return Object.entries(figures).flatMap(([name, figure]) =>
    typeof figure === 'number' ? [[`${prefix}${name}`, figure] as const] : flatten(figure, `${prefix}${name}.`),
  );
}

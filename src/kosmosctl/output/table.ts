import Table from 'cli-table3';

const NO_BORDER = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((name) => [name, '']),
);
const GAP = 3;

/** Columns as kubectl prints them. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: { ...NO_BORDER, middle: ' '.repeat(GAP) },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push([...head], ...rows.map((row) => [...row]));
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

const UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
];

/** How long ago a timestamp was, as kubectl says it: `3d`, `5h`, `12m`, `40s`. */
export function ageOf(timestamp: string | undefined, nowMs: number): string {
  const then = Date.parse(timestamp ?? '');
  if (Number.isNaN(then)) return '<unknown>';
  const seconds = Math.max(0, Math.floor((nowMs - then) / 1000));
  const [length, unit] = UNITS.find(([length]) => seconds >= 2 * length) ?? [1, 's'];
  return `${Math.floor(seconds / length)}${unit}`;
}

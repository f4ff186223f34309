const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const PART = '(?:\\d+\\.?\\d*|\\.\\d+)(?:ns|us|µs|ms|s|m|h)';
const SYNTAX = new RegExp(`^(?:0|(?:${PART})+)$`);
const PARTS = /(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g;

/** Milliseconds of a duration written as in Go (`90s`, `1h30m`, `0`); undefined when it isn't one, or is negative. */
export function parseDuration(text: string): number | undefined {
  if (!SYNTAX.test(text)) return undefined;
  let total = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(PARTS)) total += Number(amount) * (MS_PER_UNIT[unit] ?? 0);
  return total;
}

import { TerminalError } from './errors.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const SECOND_MS = 1000;

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  // Go accepts both the micro sign and the Greek letter.
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
};

const PART = /(?<number>\d+(?:\.\d*)?|\.\d+)(?<unit>[a-z\u00b5\u03bc]+)/gy;

/** Go's durations are 64-bit nanoseconds. */
const LONGEST_MS = 2 ** 63 / 1e6;

function invalid(text: string, why: string): TerminalError {
  return new TerminalError('CONFIG_INVALID', `"${text}" is not a duration such as "90s", "5m" or "1h30m": ${why}`);
}

/** Milliseconds of the part without a sign, and what is left over behind it. */
function parseParts(text: string, body: string): { readonly ms: number; readonly rest: string } {
  let ms = 0;
  let end = 0;
  for (const match of body.matchAll(PART)) {
    const { number = '', unit = '' } = match.groups ?? {};
    const unitMs = UNIT_MS[unit];
    if (unitMs === undefined) throw invalid(text, `unknown unit "${unit}"`);
    ms += Number(number) * unitMs;
    end = match.index + match[0].length;
  }
  return { ms, rest: body.slice(end) };
}

/**
 * Milliseconds of a Go or Kubernetes duration: numbers with the units ns, us, ms, s, m or h one after the other,
 * an optional sign, or just "0". Throws {@link TerminalError} `CONFIG_INVALID` for anything else.
 */
export function parseDuration(text: string): number {
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const body = text.slice(sign.length);
  if (body === '0') return 0;
  if (body === '') throw invalid(text, 'it is empty');
  const { ms, rest } = parseParts(text, body);
  if (rest !== '') throw invalid(text, /^[\d.]+$/.test(rest) ? 'a unit is missing' : `"${rest}" is not understood`);
  if (ms > LONGEST_MS) throw invalid(text, 'it is too long');
  return sign === '-' ? -ms : ms;
}

/** The shortest usual form of a duration, for instance `1h30m`, `90s` as `1m30s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms === 0) return '0s';
  if (ms < 1e-3) return `${Math.round(ms * 1e6)}ns`;
  if (ms < 1) return `${trim(ms * 1e3, 3)}us`;
  if (ms < SECOND_MS) return `${trim(ms, 6)}ms`;
  const hours = Math.floor(ms / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  const seconds = (ms % MINUTE_MS) / SECOND_MS;
  return [
    hours > 0 ? `${hours}h` : '',
    minutes > 0 ? `${minutes}m` : '',
    seconds > 0 ? `${trim(seconds, 9)}s` : '',
  ].join('');
}

/** At most `digits` decimals, without zeros at the end. */
function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** As {@link parseDuration} for lengths of time: undefined when the text is no duration, or a negative one. */
export function tryParseDuration(text: string): number | undefined {
  try {
    const ms = parseDuration(text);
    return ms < 0 ? undefined : ms;
  } catch (error) {
    if (error instanceof TerminalError) return undefined;
    throw error;
  }
}

/** What one event of mocha's json-stream reporter means for the tally; undefined for a line that is none. */
export type TestEvent =
  | { readonly kind: 'start'; readonly total: number }
  | { readonly kind: 'pass'; readonly title: string; readonly durationMs: number }
  | { readonly kind: 'fail'; readonly title: string; readonly error: string }
  | { readonly kind: 'end'; readonly passes: number; readonly failures: number };

interface RawEvent {
  readonly total: number;
  readonly fullTitle: string;
  readonly duration: number;
  readonly err: string;
  readonly stack: string | null;
  readonly passes: number;
  readonly failures: number;
}

const NOTHING: RawEvent = { total: 0, fullTitle: '', duration: 0, err: '', stack: null, passes: 0, failures: 0 };

function decode(line: string): readonly [unknown, RawEvent] | undefined {
  if (!line.startsWith('["')) return undefined;
  try {
    const value = JSON.parse(line) as unknown;
    if (!Array.isArray(value) || value.length !== 2 || typeof value[1] !== 'object') return undefined;
    return [value[0], { ...NOTHING, ...(value[1] as Partial<RawEvent>) }];
  } catch {
    return undefined;
  }
}

/** Reads one line of output; a line that a test itself printed is no event. */
export function parseEvent(line: string): TestEvent | undefined {
  const [kind, raw] = decode(line) ?? [undefined, NOTHING];
  switch (kind) {
    case 'start':
      return { kind, total: raw.total };
    case 'pass':
      return { kind, title: raw.fullTitle, durationMs: raw.duration };
    case 'fail':
      return { kind, title: raw.fullTitle, error: raw.stack ?? raw.err };
    case 'end':
      return { kind, passes: raw.passes, failures: raw.failures };
    default:
      return undefined;
  }
}

/** A test that failed, with what it said. */
export interface Failure {
  readonly title: string;
  readonly error: string;
}

/** How many tests passed, and which failed. */
export interface Tally {
  readonly passed: number;
  readonly failures: readonly Failure[];
}

/**
 * Counts the events of one run of mocha. A run that didn't come to its end, or ended with an error that belongs to no
 * test, counts as one more failure: whatever it would have found is unknown.
 */
export function tallyEvents(events: readonly TestEvent[], exitCode: number | null): Tally {
  const passed = events.filter((event) => event.kind === 'pass').length;
  const failures: Failure[] = events.flatMap((event) =>
    event.kind === 'fail' ? [{ title: event.title, error: event.error }] : [],
  );
  if (!events.some((event) => event.kind === 'end')) {
    failures.push({ title: 'the run as a whole', error: `it did not come to its end (exit code ${exitCode})` });
  } else if (failures.length === 0 && exitCode !== 0) {
    failures.push({ title: 'the run as a whole', error: `exit code ${exitCode}, which no test explains` });
  }
  return { passed, failures };
}

/** Adds up several runs. */
export function sumTallies(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    failures: tallies.flatMap(({ failures }) => failures),
  };
}

/** The exit code of the whole: 0 only if something ran and nothing failed. */
export function exitCodeFor({ passed, failures }: Tally): number {
  return failures.length === 0 && passed > 0 ? 0 : 1;
}

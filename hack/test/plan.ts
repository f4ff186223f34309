import { basename } from 'node:path';

/** One process of mocha. */
export interface TestRun {
  /** What its lines start with. */
  readonly name: string;
  readonly files: readonly string[];
  /** Limit of one test that names none, in milliseconds. */
  readonly testLimitMs: number;
  /** A run that doesn't end by then hangs, e.g. because a test left a timer behind. */
  readonly limitMs: number;
}

const TIERS: Readonly<Record<string, readonly string[]>> = {
  unit: ['unit'],
  integration: ['integration'],
  netns: ['netns'],
  e2e: ['e2e'],
  all: ['unit', 'integration', 'netns', 'e2e'],
  soak: ['soak'],
};

/** Tests on real clusters mostly wait, so two files share a machine well. What takes hours is left alone. */
const LANES: Readonly<Record<string, number>> = { soak: 1 };
const DEFAULT_LANES = 2;

/** Files that take longest are begun first, so that none of them is alone in the end. */
const LONGEST_FIRST = [
  'outage',
  'crash-sweep',
  'link',
  'kosmosctl',
  'join',
  'clusters',
  'storage',
  'identity',
  'traffic',
];

const UNIT_TEST_LIMIT_MS = 10_000;
const TEST_LIMIT_MS = 300_000;
const RUN_LIMIT_MS = 45 * 60_000;
const SOAK_LIMIT_MS = 6 * 3_600_000;

/** What kind of clusters the tests that were asked for boot. */
export function clustersNeeded(asked: string): 'none' | 'light' | 'full' {
  const tiers = TIERS[asked] ?? [];
  if (tiers.includes('e2e') || tiers.includes('soak')) return 'full';
  return tiers.includes('integration') ? 'light' : 'none';
}

/** How many runs of a plan go at the same time. */
export function lanesOf(asked: string): number {
  return LANES[asked] ?? DEFAULT_LANES;
}

/**
 * What to run for the tests that were asked for, in this order: unit tests in two processes, all others in a process for
 * each file, which has a lab of its own.
 */
export function planRuns(asked: string, filesOf: (tier: string) => readonly string[]): readonly TestRun[] {
  const tiers = TIERS[asked] ?? [];
  const unit = tiers.filter((tier) => tier === 'unit').flatMap((tier) => unitRuns([...filesOf(tier)].sort()));
  const others = tiers
    .filter((tier) => tier !== 'unit')
    .flatMap((tier) => filesOf(tier).map((file) => run(tier, file)));
  return [...unit, ...others.sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name))];
}

/** Neighbours take about the same time, so every second file makes even halves. */
function unitRuns(files: readonly string[]): readonly TestRun[] {
  return [0, 1].map((half) => ({
    name: `unit-${half + 1}`,
    files: files.filter((_file, i) => i % 2 === half),
    testLimitMs: UNIT_TEST_LIMIT_MS,
    limitMs: RUN_LIMIT_MS,
  }));
}

function run(tier: string, file: string): TestRun {
  const name = `${tier}/${basename(file, '.test.js')}`;
  const limitMs = tier === 'soak' ? SOAK_LIMIT_MS : RUN_LIMIT_MS;
  return { name, files: [file], testLimitMs: TEST_LIMIT_MS, limitMs };
}

function rank({ name }: TestRun): number {
  const index = LONGEST_FIRST.indexOf(basename(name));
  return index < 0 ? LONGEST_FIRST.length : index;
}

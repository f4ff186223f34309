import { availableParallelism } from 'node:os';
import { basename, dirname } from 'node:path';

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

/** Files in these folders share a lab, and so a process. */
const ONE_LAB = ['integration/host-only', 'integration/one-member', 'integration/two-members', 'e2e/one-member'];

/** How many files of tests on real clusters two cores bear; more cores bear more. What takes hours is left alone. */
const MIN_LANES = 2;
const MAX_LANES = 4;

/** Files that take longest are begun first, so that none of them is alone in the end. */
const LONGEST_FIRST = [
  'outage',
  'crash-sweep',
  'one-member',
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
export function lanesOf(asked: string, cores = availableParallelism()): number {
  return asked === 'soak' ? 1 : Math.min(Math.max(cores, MIN_LANES), MAX_LANES);
}

/**
 * What to run for the tests that were asked for, in this order: unit tests in two processes, all others in a process for
 * each file, which has a lab of its own, or for each folder that shares one.
 */
export function planRuns(asked: string, filesOf: (tier: string) => readonly string[]): readonly TestRun[] {
  const tiers = TIERS[asked] ?? [];
  const unit = tiers.filter((tier) => tier === 'unit').flatMap((tier) => unitRuns([...filesOf(tier)].sort()));
  const others = tiers
    .filter((tier) => tier !== 'unit')
    .flatMap((tier) => [...groups(tier, filesOf(tier))].map(([name, files]) => run(tier, name, files)));
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

/** Files that run in the same process, by the name of it. */
function groups(tier: string, files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const file of [...files].sort()) {
    const folder = `${tier}/${basename(dirname(file))}`;
    const name = ONE_LAB.includes(folder) ? folder : `${tier}/${basename(file, '.test.js')}`;
    found.set(name, [...(found.get(name) ?? []), file]);
  }
  return found;
}

function run(tier: string, name: string, files: readonly string[]): TestRun {
  const limitMs = tier === 'soak' ? SOAK_LIMIT_MS : RUN_LIMIT_MS;
  return { name, files, testLimitMs: TEST_LIMIT_MS, limitMs };
}

function rank({ name }: TestRun): number {
  const index = LONGEST_FIRST.indexOf(basename(name));
  return index < 0 ? LONGEST_FIRST.length : index;
}

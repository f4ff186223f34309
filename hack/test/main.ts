import { globSync } from 'node:fs';
import { ensureBinaries } from '../lab/binaries.js';
import { ensureMetricsServer } from '../lab/metrics-server.js';
import { PINNED_KUBERNETES } from '../lab/versions.js';
import { clustersNeeded, lanesOf, planRuns, type TestRun } from './plan.js';
import { runMocha, summaryLines } from './mocha.js';
import { exitCodeFor, sumTallies, type Tally } from './tally.js';

type NamedTally = readonly [name: string, tally: Tally];

/** Runs everything that is planned, a few at a time, and says what each comes to as it goes. */
async function runAll(runs: readonly TestRun[], lanes: number): Promise<readonly NamedTally[]> {
  const waiting = [...runs];
  const tallies: NamedTally[] = [];
  const lane = async (): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift())
      tallies.push([run.name, await runMocha(run)]);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return tallies;
}

const asked = process.argv[2] ?? 'all';
const needed = clustersNeeded(asked);
// The first time on a machine this takes longer than any test may.
if (needed !== 'none') {
  await ensureBinaries({ full: needed === 'full', kubeVersion: PINNED_KUBERNETES, log: console.log });
  if (needed === 'full') await ensureMetricsServer(console.log);
}
const runs = planRuns(asked, (tier) => globSync(`dist/test/${tier}/**/*.test.js`));
const tallies = await runAll(runs, lanesOf(asked));
for (const line of summaryLines(tallies)) console.log(line);
const total = sumTallies(tallies.map(([, tally]) => tally));
process.exitCode = exitCodeFor(total);
console.log(`${total.passed} passed, ${total.failures.length} failed`);

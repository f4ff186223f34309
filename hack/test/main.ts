import { globSync } from 'node:fs';
import { ensureBinaries } from '../lab/binaries.js';
import { ensureMetricsServer } from '../lab/metrics-server.js';
import { PINNED_KUBERNETES } from '../lab/versions.js';
import { clustersNeeded, lanesOf, planRuns, type TestRun } from './plan.js';
import { runMocha, summaryLines, type RunResult } from './mocha.js';
import { exitCodeFor, sumTallies } from './tally.js';

/** Runs everything that is planned, a few at a time, and says what each comes to as it goes. */
async function runAll(runs: readonly TestRun[], lanes: number): Promise<readonly RunResult[]> {
  const waiting = [...runs];
  const results: RunResult[] = [];
  const lane = async (): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) results.push(await runMocha(run));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

const asked = process.argv[2] ?? 'all';
const needed = clustersNeeded(asked);
// The first time on a machine this takes longer than any test may.
if (needed !== 'none') {
  await ensureBinaries({ full: needed === 'full', kubeVersion: PINNED_KUBERNETES, log: console.log });
  if (needed === 'full') await ensureMetricsServer(console.log);
}
const runs = planRuns(asked, (tier) => globSync(`dist/test/${tier}/**/*.test.js`));
const startedAt = performance.now();
const results = await runAll(runs, lanesOf(asked));
const seconds = Math.round((performance.now() - startedAt) / 1000);
for (const line of summaryLines(results, seconds)) console.log(line);
const total = sumTallies(results.map(({ tally }) => tally));
process.exitCode = exitCodeFor(total);
console.log(`${total.passed} passed, ${total.failures.length} failed`);

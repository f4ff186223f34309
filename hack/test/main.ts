import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { exitCodeFor, parseEvent, sumTallies, tallyEvents, type Tally, type TestEvent } from './tally.js';

const TIERS: Readonly<Record<string, readonly string[]>> = {
  unit: ['unit'],
  integration: ['integration'],
  e2e: ['e2e'],
  all: ['unit', 'integration', 'e2e'],
  soak: ['soak'],
};

/** A run that doesn't end by then hangs, e.g. because a test left a timer behind. */
const LIMITS_MS: Readonly<Record<string, number>> = { soak: 6 * 3_600_000 };
const DEFAULT_LIMIT_MS = 45 * 60_000;

function report(event: TestEvent): void {
  switch (event.kind) {
    case 'start':
      console.log(`${event.total} tests`);
      break;
    case 'pass':
      console.log(`  ok    ${event.title} (${event.durationMs} ms)`);
      break;
    case 'fail':
      console.log(`  FAIL  ${event.title}\n${event.error.replace(/^/gm, '        ')}`);
      break;
    case 'end':
      console.log(`${event.passes} of them passed`);
  }
}

async function runTier(tier: string, files: readonly string[]): Promise<Tally> {
  console.log(`== ${tier}`);
  const timeout = tier === 'unit' ? [] : ['--timeout', '300000'];
  const mocha = spawn(
    process.execPath,
    ['node_modules/mocha/bin/mocha.js', '--reporter', 'json-stream', ...timeout, ...files],
    {
      stdio: ['inherit', 'pipe', 'inherit'],
      timeout: LIMITS_MS[tier] ?? DEFAULT_LIMIT_MS,
      killSignal: 'SIGKILL',
    },
  );
  const ended = new Promise<number | null>((done) => mocha.once('close', done));
  const events: TestEvent[] = [];
  for await (const line of createInterface({ input: mocha.stdout })) {
    const event = parseEvent(line);
    if (event === undefined) console.log(line);
    else {
      events.push(event);
      report(event);
    }
  }
  return tallyEvents(events, await ended);
}

const tiers = TIERS[process.argv[2] ?? 'all'] ?? [];
const tallies: Tally[] = [];
for (const tier of tiers) {
  const files = globSync(`dist/test/${tier}/**/*.test.js`).sort();
  if (files.length === 0) console.log(`== ${tier}: no tests yet`);
  else tallies.push(await runTier(tier, files));
}
const total = sumTallies(tallies);
process.exitCode = exitCodeFor(total);
console.log(`${total.passed} passed, ${total.failed} failed`);

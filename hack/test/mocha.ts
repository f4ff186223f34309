import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestRun } from './plan.js';
import { parseEvent, tallyEvents, type Failure, type Tally, type TestEvent } from './tally.js';

function failureLines(name: string, { title, error }: Failure): string {
  return `  FAIL  ${name}: ${title}\n${error.replace(/^/gm, '        ')}`;
}

/** What failed in all runs once more, where whoever looks at the end of a long output finds it. */
export function summaryLines(runs: readonly (readonly [name: string, tally: Tally])[]): readonly string[] {
  return runs.flatMap(([name, { failures }]) => failures.map((failure) => failureLines(name, failure)));
}

function report(name: string, event: TestEvent): void {
  switch (event.kind) {
    case 'start':
      console.log(`${name}: ${event.total} tests`);
      break;
    case 'pass':
      console.log(`  ok    ${name}: ${event.title} (${event.durationMs} ms)`);
      break;
    case 'fail':
      console.log(failureLines(name, event));
      break;
    case 'end':
      break;
  }
}

/** Runs mocha on some files and prints each result as it comes. */
export async function runMocha(run: TestRun): Promise<Tally> {
  const { name, files, testLimitMs, limitMs } = run;
  const startedAt = performance.now();
  const flags = ['--reporter', 'json-stream', '--timeout', String(testLimitMs)];
  const mocha = spawn(process.execPath, ['node_modules/mocha/bin/mocha.js', ...flags, ...files], {
    stdio: ['inherit', 'pipe', 'inherit'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number | null>((done) => mocha.once('close', done));
  const events: TestEvent[] = [];
  for await (const line of createInterface({ input: mocha.stdout })) {
    const event = parseEvent(line);
    if (event === undefined) console.log(line);
    else {
      events.push(event);
      report(name, event);
    }
  }
  const tally = tallyEvents(events, await ended);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(`${name}: ${tally.passed} passed and ${tally.failures.length} failed in ${seconds} s`);
  return tally;
}

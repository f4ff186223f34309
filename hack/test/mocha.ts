import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestRun } from './plan.js';
import { parseEvent, tallyEvents, type Failure, type Tally, type TestEvent } from './tally.js';

/** What one process of mocha came to. */
export interface RunResult {
  readonly name: string;
  readonly tally: Tally;
  readonly seconds: number;
}

function failureLines(name: string, { title, error }: Failure): string {
  return `  FAIL  ${name}: ${title}\n${error.replace(/^/gm, '        ')}`;
}

/**
 * For whoever looks at the end of a long output: how long each run took, the longest first, and once more what failed.
 *
 * @param seconds - of all runs together; some went on at the same time
 */
export function summaryLines(results: readonly RunResult[], seconds: number): readonly string[] {
  const sorted = [...results].sort((one, other) => other.seconds - one.seconds);
  const times = sorted.map((result) => `${result.name} ${result.seconds}`).join(', ');
  const failures = results.flatMap(({ name, tally }) => tally.failures.map((failure) => failureLines(name, failure)));
  return [`${seconds} s in all, by file: ${times}`, ...failures];
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
export async function runMocha(run: TestRun): Promise<RunResult> {
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
  return { name, tally, seconds };
}

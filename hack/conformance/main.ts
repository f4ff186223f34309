import { summaryOf } from './report.js';
import { runConformance } from './run.js';
import { groupsNamed } from './specs.js';

const stop = new AbortController();
// The lab is removed all the same.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(new Error('interrupted')));

try {
  const results = await runConformance(groupsNamed(process.argv.slice(2)), stop.signal);
  for (const line of summaryOf(results)) console.log(line);
  process.exitCode = results.length > 0 && results.every(({ passed }) => passed) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

import { systemClock } from '../../../../src/lib/clock.js';
import { createLogger } from '../../../../src/runtime/logging.js';
import { runUntilSignal } from '../../../../src/runtime/process.js';

/** A process for process.test.ts; the argument says how it behaves. */
const behaviour = process.argv[2];

async function main(signal: AbortSignal): Promise<void> {
  process.stdout.write('started\n');
  if (behaviour === 'throw') throw new Error('cannot start');
  if (behaviour === 'reject') void Promise.reject(new Error('nobody waits'));
  await systemClock.sleep(60_000, signal).catch(() => undefined);
  if (behaviour === 'hang') await systemClock.sleep(60_000);
  process.stdout.write(`stopped ${'x'.repeat(100_000)} end\n`);
}

await runUntilSignal(main, { logger: createLogger(), stopTimeoutMs: behaviour === 'hang' ? 200 : 5000 });

/**
 * `apply-entries.js COUNT`: makes entries in the network namespace that it runs in, removes them, and makes them again;
 * prints the times of each kind as JSON: of the first time (`cold`), and of the second, as in an agent that has been up.
 */
import { NetlinkKernel } from '../../../../src/clusterlink/agent/kernel.js';
import { loadLibc } from '../../../../src/clusterlink/agent/netlink/libc.js';
import { systemClock } from '../../../../src/lib/clock.js';
import { ENTRY_KINDS, entryOperations } from '../entries.js';

const count = Number(process.argv[2]);
const kernel = new NetlinkKernel(await loadLibc(), systemClock);

async function timed(action: 'add' | 'delete'): Promise<Readonly<Record<string, number>>> {
  const times: Record<string, number> = {};
  for (const kind of ENTRY_KINDS) {
    const rest = entryOperations(kind, count, action);
    const startedAt = performance.now();
    const errors = await kernel.apply({ devices: [], rest, problems: [] });
    times[kind] = performance.now() - startedAt;
    if (errors.length > 0) throw new Error(errors[0]);
  }
  return times;
}

const cold = await timed('add');
await timed('delete');
const warm = await timed('add');
kernel.close();
console.log(JSON.stringify({ cold, warm }));

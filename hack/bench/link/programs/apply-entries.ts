/** `apply-entries.js COUNT`: makes entries in the network namespace that it runs in; prints the time of each kind as JSON. */
import { NetlinkKernel } from '../../../../src/clusterlink/agent/kernel.js';
import { loadLibc } from '../../../../src/clusterlink/agent/netlink/libc.js';
import { systemClock } from '../../../../src/lib/clock.js';
import { ENTRY_KINDS, entryOperations } from '../entries.js';

const count = Number(process.argv[2]);
const kernel = new NetlinkKernel(await loadLibc(), systemClock);
const times: Record<string, number> = {};
for (const kind of ENTRY_KINDS) {
  const rest = entryOperations(kind, count);
  const startedAt = performance.now();
  const errors = await kernel.apply({ devices: [], rest, problems: [] });
  times[kind] = performance.now() - startedAt;
  if (errors.length > 0) throw new Error(errors[0]);
}
kernel.close();
console.log(JSON.stringify(times));

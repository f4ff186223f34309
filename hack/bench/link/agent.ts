import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, rounded } from '../statistics.js';
import { DEVICE, ENTRY_KINDS, entryCommands, type EntryKind } from './entries.js';
import { Namespaces } from './namespaces.js';
import type { LinkBenchPart } from './part.js';

const ENTRIES = 10_000;
/** Calls of `ip` that are made one by one; ten thousand would take half a minute. */
const SINGLE_CALLS = 100;
const PROGRAM = 'dist/hack/bench/link/programs/apply-entries.js';
const SPACE = 'agent';

type Times = Readonly<Record<EntryKind, number>>;

/**
 * Ten thousand forwarding entries, neighbours and routes into the kernel: by the agent's code, by `ip -batch` and
 * `bridge -batch`, and by one call of these programs for each. The programs' own start is part of their time; the agent's
 * code runs for the second time, as it does in an agent that has been up (`coldTotalMs` is the first).
 */
export const agentPart: LinkBenchPart = {
  name: 'agent',
  run: async ({ repeat }, log) => {
    const directory = mkdtempSync(join(tmpdir(), 'kosmos-bench-'));
    const spaces = await Namespaces.make(SPACE);
    try {
      const ours: Times[] = [];
      const cold: Times[] = [];
      const batches: Times[] = [];
      const singles: Times[] = [];
      for (let round = 0; round < repeat; round++) {
        log(`${ENTRIES} entries of each kind, round ${round + 1} of ${repeat}`);
        const own = await afresh(spaces, () => byAgent(spaces));
        ours.push(own.warm);
        cold.push(own.cold);
        batches.push(await afresh(spaces, () => byBatch(spaces, directory)));
        singles.push(await afresh(spaces, () => bySingleCalls(spaces)));
      }
      return { ...figures(ours, batches, singles), coldTotalMs: rounded(median(cold.map(sum)), 1) };
    } finally {
      await spaces.remove();
      rmSync(directory, { recursive: true });
    }
  },
};

/** With a device that has no entries. */
async function afresh<T>(spaces: Namespaces, measure: () => Promise<T>): Promise<T> {
  await spaces.script(
    SPACE,
    `ip link del ${DEVICE} 2>/dev/null || true
     ip link add ${DEVICE} type vxlan id 99 dstport 4999 nolearning
     ip addr add 220.20.255.254/8 dev ${DEVICE}
     ip link set ${DEVICE} up`,
  );
  return measure();
}

async function byAgent(spaces: Namespaces): Promise<{ readonly cold: Times; readonly warm: Times }> {
  return JSON.parse(await spaces.exec(SPACE, process.execPath, PROGRAM, String(ENTRIES))) as {
    readonly cold: Times;
    readonly warm: Times;
  };
}

async function byBatch(spaces: Namespaces, directory: string): Promise<Times> {
  return each(async (kind) => {
    const file = join(directory, kind);
    writeFileSync(file, `${entryCommands(kind, ENTRIES).join('\n')}\n`);
    return timed(() => spaces.exec(SPACE, programOf(kind), '-batch', file));
  });
}

/** As long as all of them would take. */
async function bySingleCalls(spaces: Namespaces): Promise<Times> {
  return each(async (kind) => {
    const calls = entryCommands(kind, SINGLE_CALLS).map((command) => `${programOf(kind)} ${command}`);
    return ((await timed(() => spaces.script(SPACE, calls.join('\n')))) * ENTRIES) / SINGLE_CALLS;
  });
}

function programOf(kind: EntryKind): string {
  return kind === 'forwarding' ? 'bridge' : 'ip';
}

async function each(measure: (kind: EntryKind) => Promise<number>): Promise<Times> {
  const times: Partial<Record<EntryKind, number>> = {};
  for (const kind of ENTRY_KINDS) times[kind] = await measure(kind);
  return times as Times;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function figures(
  ours: readonly Times[],
  batches: readonly Times[],
  singles: readonly Times[],
): ReturnType<typeof result> {
  const middle = (all: readonly Times[], kind: EntryKind): number => median(all.map((times) => times[kind]));
  const total = (all: readonly Times[]): number => median(all.map(sum));
  const factors = ENTRY_KINDS.map((kind) => [kind, rounded(middle(batches, kind) / middle(ours, kind), 2)] as const);
  const times = ENTRY_KINDS.map((kind) => [kind, rounded(middle(ours, kind), 1)] as const);
  return result(
    { ours: total(ours), batch: total(batches), single: total(singles) },
    Object.fromEntries(factors),
    Object.fromEntries(times),
  );
}

function sum(times: Times): number {
  return times.forwarding + times.neighbour + times.route;
}

function result(
  total: { readonly ours: number; readonly batch: number; readonly single: number },
  factors: Readonly<Record<string, number>>,
  ms: Readonly<Record<string, number>>,
): Readonly<Record<string, number | Readonly<Record<string, number>>>> {
  return {
    vsIpBatch: rounded(total.batch / total.ours, 2),
    vsIpBatchByKind: factors,
    vsSingleCalls: rounded(total.single / total.ours, 1),
    totalMs: rounded(total.ours, 1),
    ms,
    ipBatchTotalMs: rounded(total.batch, 1),
  };
}

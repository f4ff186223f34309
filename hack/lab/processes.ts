import { readFileSync, readdirSync } from 'node:fs';
import { waitFor } from './run.js';

/** Name of the environment variable that marks every process of a lab; its value is the instance's folder. */
export const MARK = 'KOSMOS_LAB';

const PAUSE_LIMIT_MS = 10_000;

/** A process that can't be mistaken for a later one with the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks after boot, as the kernel has it. */
  readonly startTicks: string;
}

/** The start time of a process; undefined when there is none, or only a zombie. */
export function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may contain blanks, so fields are counted after it; the state is the third.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ended = fields[0] === 'Z' || fields[0] === 'X';
    return ended && !hasThreads(pid) ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The first thread of a killed process may be a zombie while others still hold its sockets. */
function hasThreads(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).length > 1;
}

/** Tells whether that very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return startTicksOf(identity.pid) === identity.startTicks;
}

/** Sends a signal, unless the process is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    // It may have ended since the look; any other failure is real.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Processes that carry the mark of an instance, found without any record of them. */
export function markedProcesses(instanceDirectory: string): ProcessIdentity[] {
  const wanted = `${MARK}=${instanceDirectory}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => environmentOf(pid).includes(wanted))
    .flatMap((pid) => identify(Number(pid)) ?? []);
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** The identity of a running process. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTicks = startTicksOf(pid);
  return startTicks === undefined ? undefined : { pid, startTicks };
}

/** Tells whether every thread of a process has stopped. */
function isStopped(pid: number): boolean {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).every((thread) => {
    const stat = readFileSync(`${folder}/${thread}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] === 'T';
  });
}

/** Freezes a process; resolves when none of its threads runs any more, which takes the kernel a moment. */
export async function pauseProcess(identity: ProcessIdentity): Promise<void> {
  signalProcess(identity, 'SIGSTOP');
  const probe = (): true | undefined => (isStopped(identity.pid) ? true : undefined);
  await waitFor(`stop of process ${identity.pid}`, probe, { timeoutMs: PAUSE_LIMIT_MS, intervalMs: 5 });
}

/** Waits until all of them have ended. @throws Error that names one that hasn't. */
export async function waitForEnd(identities: readonly ProcessIdentity[], timeoutMs: number): Promise<void> {
  const running = (): ProcessIdentity[] => identities.filter(isAlive);
  await waitFor(
    `end of processes ${identities.map((identity) => identity.pid).join(' ')}`,
    () => (running().length === 0 ? true : undefined),
    { timeoutMs, intervalMs: 20 },
  );
}

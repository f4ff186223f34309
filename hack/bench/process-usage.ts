import { readFileSync } from 'node:fs';

/** What a process has used so far. */
export interface ProcessUsage {
  /** CPU time of all its threads, in user and kernel mode. */
  readonly cpuMs: number;
  /** The most memory that it ever had resident. */
  readonly peakRssMiB: number;
}

/** Clock ticks per second in /proc/PID/stat: fixed at 100 on all architectures that Node supports. */
const TICKS_PER_SECOND = 100;

/** CPU time from the text of /proc/PID/stat. */
export function cpuMsOf(stat: string): number {
  // The name in parentheses may contain blanks; after it the state is field 3, utime 14 and stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Peak resident memory from the text of /proc/PID/status. @throws Error when it isn't there */
export function peakRssMiBOf(status: string): number {
  return kibOf(status, 'VmHWM') / 1024;
}

/** Memory that a running process has resident now, in KiB. @throws Error when it has ended */
export function residentKiB(pid: number): number {
  return kibOf(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS');
}

function kibOf(status: string, name: 'VmHWM' | 'VmRSS'): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (match === null) throw new Error(`the process has ended, or this kernel doesn't tell ${name}`);
  return Number(match[1]);
}

/** Reads what a running process has used. */
export function usageOf(pid: number): ProcessUsage {
  return {
    cpuMs: cpuMsOf(readFileSync(`/proc/${pid}/stat`, 'utf8')),
    peakRssMiB: peakRssMiBOf(readFileSync(`/proc/${pid}/status`, 'utf8')),
  };
}

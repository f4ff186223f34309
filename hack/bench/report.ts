import type { BurstResult } from './burst.js';
import { growth, sumOf, type Counts } from './prometheus.js';
import { rounded, type Latency } from './statistics.js';

/** What the API servers have counted at some moment. */
export interface CallCounts {
  /** Calls of the manager. */
  readonly manager: Counts;
  /** Calls of anybody that concern pods. */
  readonly all: Counts;
}

/** Calls per pod by kind. */
export type CallsPerPod = Readonly<Record<string, number>>;

/** What one run has measured; phases that didn't run are absent. */
export interface RunResult {
  readonly native?: BurstResult | undefined;
  readonly floor?: BurstResult | undefined;
  readonly virtual?: BurstResult | undefined;
  readonly paced?: { readonly native?: Latency | undefined; readonly virtual?: Latency | undefined } | undefined;
  readonly manager?: ManagerResult | undefined;
  /** Of the manager, per pod from creation to the end. */
  readonly calls?: { readonly host: CallsPerPod; readonly member: CallsPerPod } | undefined;
  /** Of everybody, for pods, in the same time. */
  readonly allCalls?: { readonly host: CallsPerPod; readonly member: CallsPerPod } | undefined;
  readonly ratios: Ratios;
}

/** What the manager used during the virtual burst. */
export interface ManagerResult {
  /** From before the burst until its pods are ready and their Events have come. */
  readonly cpuMsPerPod: number;
  /** Until the pods are gone as well. */
  readonly cpuMsPerPodLife: number;
  readonly peakRssMiB: number;
}

/** Virtual over floor, and what the paced phase adds to native. */
export interface Ratios {
  readonly burstReady?: number | undefined;
  readonly burstGone?: number | undefined;
  readonly pacedP50AddedMs?: number | undefined;
  readonly pacedP99AddedMs?: number | undefined;
}

/** Ratios of what was measured; those of phases that didn't run are absent. */
export function ratiosOf(run: Omit<RunResult, 'ratios'>): Ratios {
  const { floor, virtual, paced } = run;
  const over = (one: number | undefined, other: number | undefined): number | undefined =>
    one === undefined || other === undefined ? undefined : rounded(one / other, 3);
  const added = (name: 'p50Ms' | 'p99Ms'): number | undefined => {
    const [native, through] = [paced?.native?.[name], paced?.virtual?.[name]];
    return native === undefined || through === undefined ? undefined : rounded(through - native, 1);
  };
  return {
    burstReady: over(virtual?.readyMs, floor?.readyMs),
    burstGone: over(virtual?.goneMs, floor?.goneMs),
    pacedP50AddedMs: added('p50Ms'),
    pacedP99AddedMs: added('p99Ms'),
  };
}

/** Calls per pod between two moments, summed over clusters. Kinds that come to less than 0.001 are left out. */
export function callsPerPod(before: readonly Counts[], after: readonly Counts[], pods: number): CallsPerPod {
  const grown = sumOf(after.map((counts, index) => growth(before[index] ?? {}, counts)));
  const perPod = Object.entries(grown).map(([kind, count]) => [kind, rounded(count / pods, 3)] as const);
  return Object.fromEntries(perPod.filter(([, value]) => value > 0).sort(([, left], [, right]) => right - left));
}

/** The result for people. */
export function renderResult(run: RunResult): string {
  const bursts = (['native', 'floor', 'virtual'] as const).flatMap((name) => {
    const result = run[name];
    return result === undefined ? [] : [burstLine(name, result)];
  });
  const paced = (['native', 'virtual'] as const).flatMap((name) => {
    const latency = run.paced?.[name];
    return latency === undefined ? [] : [pacedLine(name, latency)];
  });
  return [...bursts, ...paced, ...managerLines(run), `ratios   ${JSON.stringify(run.ratios)}`].join('\n');
}

function burstLine(name: string, { readyMs, podsPerSecond, goneMs }: BurstResult): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return `${name.padEnd(8)} all ready ${seconds(readyMs)} (${podsPerSecond} pods/s), all gone ${seconds(goneMs)}`;
}

function pacedLine(name: string, { p50Ms, p90Ms, p99Ms, maxMs, samples }: Latency): string {
  return `paced    ${name}: bound to ready p50 ${p50Ms} ms, p90 ${p90Ms} ms, p99 ${p99Ms} ms, max ${maxMs} ms (${samples} pods)`;
}

function managerLines({ manager, calls }: RunResult): string[] {
  if (manager === undefined || calls === undefined) return [];
  const { cpuMsPerPod, cpuMsPerPodLife, peakRssMiB } = manager;
  const list = (per: CallsPerPod): string =>
    Object.entries(per)
      .map(([kind, value]) => `${kind} ${value}`)
      .join(', ');
  return [
    `manager  ${cpuMsPerPod} ms CPU per pod created, ${cpuMsPerPodLife} with its deletion, peak RSS ${peakRssMiB} MiB`,
    `calls    host, per pod: ${list(calls.host)}`,
    `calls    members, per pod: ${list(calls.member)}`,
  ];
}

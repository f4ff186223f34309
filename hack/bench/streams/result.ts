import { median, percentile, rounded } from '../statistics.js';
import type { FollowResult, ManyResult } from './many.js';
import type { Path, Transfer } from './paths.js';

/** What was measured, before it is put together. */
export interface StreamSamples {
  readonly logs: Readonly<Record<Path, readonly Transfer[]>>;
  readonly exec: Readonly<Record<Path, readonly Transfer[]>>;
  readonly pingsMs: Readonly<Record<Path, readonly number[]>>;
  /** CPU time of the manager and of the pipe during their transfers. */
  readonly cpuMs: { readonly manager: number; readonly pipe: number };
  readonly many: ManyResult | undefined;
  readonly followed: FollowResult | undefined;
}

/** The result of the benchmark. */
export interface StreamResult {
  /** MiB per second. */
  readonly logs: Readonly<Record<Path, number>>;
  readonly exec: Readonly<Record<Path, number>>;
  readonly pingP50Ms: Readonly<Record<Path, number>>;
  /** Through the manager over through the pipe. */
  readonly ratios: { readonly logs: number; readonly exec: number };
  /** What the manager adds to a round trip, compared with the pipe. */
  readonly execAddedP50Ms: number;
  readonly cpuMsPerMib: { readonly manager: number; readonly pipe: number };
  readonly many?: ManyResult | undefined;
  readonly followed?: FollowResult | undefined;
}

/** Puts samples together. */
export function summarize(samples: StreamSamples): StreamResult {
  const { logs, exec, pingsMs, cpuMs, many, followed } = samples;
  const speeds = (of: StreamSamples['logs']): Record<Path, number> => ({
    manager: speed(of.manager),
    pipe: speed(of.pipe),
    direct: speed(of.direct),
  });
  const p50 = (path: Path): number => rounded(percentile(pingsMs[path], 50), 3);
  const [logSpeeds, execSpeeds] = [speeds(logs), speeds(exec)];
  const moved = (path: 'manager' | 'pipe'): number =>
    [...logs[path], ...exec[path]].reduce((sum, { mib }) => sum + mib, 0);
  return {
    logs: logSpeeds,
    exec: execSpeeds,
    pingP50Ms: { manager: p50('manager'), pipe: p50('pipe'), direct: p50('direct') },
    ratios: {
      logs: rounded(logSpeeds.manager / logSpeeds.pipe, 3),
      exec: rounded(execSpeeds.manager / execSpeeds.pipe, 3),
    },
    execAddedP50Ms: rounded(p50('manager') - p50('pipe'), 3),
    cpuMsPerMib: {
      manager: rounded(cpuMs.manager / moved('manager'), 2),
      pipe: rounded(cpuMs.pipe / moved('pipe'), 2),
    },
    ...(many && { many }),
    ...(followed && { followed }),
  };
}

function speed(transfers: readonly Transfer[]): number {
  return rounded(median(transfers.map(({ mib, seconds }) => mib / seconds)), 1);
}

/** The result for people. */
export function renderStreams(result: StreamResult): string {
  const { logs, exec, pingP50Ms, ratios, execAddedP50Ms, cpuMsPerMib, many, followed } = result;
  const row = (name: string, of: Readonly<Record<Path, number>>): string =>
    `${name.padEnd(22)}${[of.manager, of.pipe, of.direct].map((value) => String(value).padStart(10)).join('')}`;
  return [
    `${''.padEnd(22)}${['manager', 'pipe', 'no hop'].map((text) => text.padStart(10)).join('')}`,
    row('logs, MiB/s', logs),
    row('exec, MiB/s', exec),
    row('round trip p50, ms', pingP50Ms),
    `logs ${ratios.logs} and exec ${ratios.exec} of the pipe; ${execAddedP50Ms} ms added to a round trip`,
    `CPU ms per MiB: manager ${cpuMsPerMib.manager}, pipe ${cpuMsPerMib.pipe}`,
    ...(many ? [`${many.sessions} sessions at once: ${many.rssKibEach} KiB each`] : []),
    ...(followed
      ? [`${followed.pods} followed logs of ${followed.linesEach} lines: ${followed.incomplete} incomplete`]
      : []),
  ].join('\n');
}

import type { Lab } from '../../lab/lab.js';
import { usageOf } from '../process-usage.js';
import { followLogs, holdSessions } from './many.js';
import type { StreamBenchOptions } from './options.js';
import { PathRunner, PATHS, type EchoSession, type Path, type Transfer } from './paths.js';
import { summarize, type StreamResult } from './result.js';
import { setStage, type Stage } from './stage.js';

type PerPath<T> = Record<Path, T[]>;

const empty = <T>(): PerPath<T> => ({ manager: [], pipe: [], direct: [] });

/** Measures everything in one lab, the ways in turn, so that whatever else the machine does hits all of them. */
export async function benchStreams(
  lab: Lab,
  options: StreamBenchOptions,
  log: (line: string) => void,
): Promise<StreamResult> {
  const stage = await setStage(lab);
  const runner = new PathRunner(lab);
  log('the pods run');
  // The first transfer finds cold caches, and connections that have yet to be made.
  for (const path of PATHS) await runner.exec(path);
  const [logs, exec, cpuMs] = [empty<Transfer>(), empty<Transfer>(), { manager: 0, pipe: 0 }];
  for (let run = 1; run <= options.repeat; run += 1) {
    for (const path of PATHS) {
      const before = cpuOf(stage, path);
      logs[path].push(await runner.logs(path));
      exec[path].push(await runner.exec(path));
      if (path !== 'direct') cpuMs[path] += cpuOf(stage, path) - before;
    }
    log(`transfers: run ${run} of ${options.repeat}`);
  }
  const pingsMs = await pings(runner, options.pings);
  log('round trips done');
  const many = options.sessions > 0 ? await holdSessions(lab, options.sessions, stage.manager.pid) : undefined;
  const followed = options.followed > 0 ? await followLogs(lab, options.followed) : undefined;
  return summarize({ logs, exec, pingsMs, cpuMs, many, followed });
}

function cpuOf(stage: Stage, path: Path): number {
  return path === 'direct' ? 0 : usageOf(stage[path].pid).cpuMs;
}

async function pings(runner: PathRunner, count: number): Promise<PerPath<number>> {
  const sessions = PATHS.map((path): [Path, EchoSession] => [path, runner.echo(path)]);
  const results = empty<number>();
  try {
    for (const [, session] of sessions) await session.ping();
    for (let i = 0; i < count; i += 1) {
      for (const [path, session] of sessions) results[path].push(await session.ping());
    }
  } finally {
    for (const [, session] of sessions) session.close();
  }
  return results;
}

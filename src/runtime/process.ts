import { setTimeout as startTimer } from 'node:timers';
import { systemClock, type Clock, type Timer } from '../lib/clock.js';
import { errorMessage } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';

/** What is used of Node's `process`, so that tests can stand in for it. */
export interface ProcessLike {
  exitCode?: number | string | null | undefined;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  exit(code: number): void;
}

/** How a process is run. */
export interface RunOptions {
  readonly logger: Logger;
  readonly clock?: Clock | undefined;
  /** How long an orderly stop may take; default 25 s, less than the 30 s that Kubernetes gives a pod. */
  readonly stopTimeoutMs?: number | undefined;
  readonly process?: ProcessLike | undefined;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** How long the process may linger after `main` has ended. */
const LINGER_MS = 5000;
const CRASHES = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Runs the process: the signal given to `main` aborts on SIGTERM or SIGINT, and the process ends when `main` has ended.
 * The exit code is 0 after an orderly end and 1 when `main` rejects (which is logged), when it doesn't end in time,
 * on a second signal, and on any error that nobody caught. Resolves when `main` has ended.
 */
export async function runUntilSignal(main: (signal: AbortSignal) => Promise<void>, options: RunOptions): Promise<void> {
  const { logger, clock = systemClock, stopTimeoutMs = 25_000 } = options;
  const target = options.process ?? process;
  const abort = new AbortController();
  let timer: Timer | undefined;

  const onSignal = (name: unknown): void => {
    if (abort.signal.aborted) {
      logger.error('second signal, giving up', { signal: name });
      target.exit(1);
      return;
    }
    logger.info('stopping', { signal: name });
    timer = clock.schedule(stopTimeoutMs, () => {
      logger.error('not stopped in time, giving up', { stopTimeoutMs });
      target.exit(1);
    });
    abort.abort(new Error('the process was told to stop'));
  };
  const onCrash = (error: unknown): void => {
    logger.error('error that nobody caught, giving up', { error: errorMessage(error), ...stackOf(error) });
    target.exit(1);
  };

  for (const name of SIGNALS) target.on(name, onSignal);
  for (const name of CRASHES) target.on(name, onCrash);
  try {
    await main(abort.signal);
    target.exitCode = 0;
  } catch (error) {
    // Not exit(): standard output may not be written yet.
    target.exitCode = exitCodeOf(error, abort.signal, logger);
  } finally {
    timer?.cancel();
    for (const name of SIGNALS) target.off(name, onSignal);
    for (const name of CRASHES) target.off(name, onCrash);
    if (options.process === undefined) exitIfStuck(logger);
  }
}

/** 0 when `main` only says that it was stopped. */
function exitCodeOf(error: unknown, signal: AbortSignal, logger: Logger): number {
  if (signal.aborted && error === signal.reason) return 0;
  logger.error('the process failed', { error: errorMessage(error), ...stackOf(error) });
  return 1;
}

/**
 * Ends a process that something keeps alive although `main` has ended. The timer is Node's own because it must not keep
 * the process alive itself.
 */
function exitIfStuck(logger: Logger): void {
  startTimer(() => {
    logger.error('something keeps the process alive after its end, giving up', { waitedMs: LINGER_MS });
    process.exit(1);
  }, LINGER_MS).unref();
}

function stackOf(error: unknown): Record<string, unknown> {
  return error instanceof Error ? { stack: error.stack } : {};
}

import type { Clock } from './clock.js';

/** A call did not end in the time that it was given. */
export class DeadlineError extends Error {
  constructor(ms: number) {
    super(`not done within ${ms} ms`);
    this.name = 'DeadlineError';
  }
}

/**
 * The outcome of `work`, but at the latest after `ms`, or when `parent` aborts: then the signal given to `work` is
 * aborted and the promise rejects at once ({@link DeadlineError}, or the reason of `parent`), even if `work` goes on.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  parent?: AbortSignal,
): Promise<T> {
  parent?.throwIfAborted();
  const abort = new AbortController();
  let giveUp: (reason: Error) => void = () => undefined;
  const gaveUp = new Promise<never>((_resolve, reject) => (giveUp = reject));
  const stop = (reason: Error): void => {
    giveUp(reason);
    abort.abort(reason);
  };
  const onAbort = (): void => stop(parent?.reason as Error);
  parent?.addEventListener('abort', onAbort, { once: true });
  const timer = clock.schedule(ms, () => stop(new DeadlineError(ms)));
  try {
    return await Promise.race([work(abort.signal), gaveUp]);
  } finally {
    timer.cancel();
    parent?.removeEventListener('abort', onAbort);
  }
}

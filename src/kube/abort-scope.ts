import type { Clock } from '../lib/clock.js';

/** One reason to give up, and the error that it becomes. */
export interface AbortSource {
  readonly signal: AbortSignal | undefined;
  /** The signal's own reason when absent. */
  readonly error?: (() => Error) | undefined;
}

/** A signal that follows several others and a deadline, and leaves no listener and no timer behind. */
export interface AbortScope {
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline. */
  remainingMs(): number;
  dispose(): void;
}

/** The first source or the deadline that fires decides the reason of the scope's signal. */
export function openAbortScope(
  sources: readonly AbortSource[],
  deadline: { readonly clock: Clock; readonly timeoutMs: number; readonly error: () => Error },
): AbortScope {
  const { clock, timeoutMs } = deadline;
  const controller = new AbortController();
  const endsAt = clock.monotonic() + timeoutMs;
  const timer = clock.schedule(timeoutMs, () => controller.abort(deadline.error()));
  const undo: (() => void)[] = [() => timer.cancel()];
  for (const { signal, error } of sources) {
    if (!signal) continue;
    const onAbort = (): void => controller.abort(error ? error() : signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    undo.push(() => signal.removeEventListener('abort', onAbort));
  }
  return {
    signal: controller.signal,
    remainingMs: () => endsAt - clock.monotonic(),
    dispose: () => undo.forEach((step) => step()),
  };
}

/** Lets callers that want the same thing at the same time share one call; each may give up on its own. */
export class SharedCall<R> {
  #running: Promise<R> | undefined;

  /** Joins the call that is under way, or makes one. Rejects with the signal's reason when that is aborted first. */
  join(call: () => Promise<R>, signal: AbortSignal): Promise<R> {
    this.#running ??= call().finally(() => {
      this.#running = undefined;
    });
    return untilAborted(this.#running, signal);
  }
}

/** The promise's result, unless the signal is aborted first; then its reason. What the promise does later is ignored. */
export function untilAborted<R>(promise: Promise<R>, signal: AbortSignal): Promise<R> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

import { errorMessage } from '../../lib/errors.js';

interface Action {
  readonly what: string;
  readonly run: (signal: AbortSignal) => Promise<unknown>;
}

/** Remembers how to take back what a command has done. */
export class UndoStack {
  readonly #actions: Action[] = [];

  /** To be called before the thing is done: it may have happened even when it fails. */
  add(what: string, run: Action['run']): void {
    this.#actions.push({ what, run });
  }

  /** Takes everything back, the last first; returns what could not be taken back and why. */
  async run(signal: AbortSignal): Promise<readonly string[]> {
    const failures: string[] = [];
    for (const { what, run } of this.#actions.splice(0).reverse()) {
      try {
        await run(signal);
      } catch (error) {
        failures.push(`${what}: ${errorMessage(error)}`);
      }
    }
    return failures;
  }
}

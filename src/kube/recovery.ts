import type { RequestObserver, RequestSample } from './request-observer.js';

/** Failures in a row that make an outage; a single one may be a lost packet. */
const FAILURES = 2;

/**
 * Tells when a server answers again after an outage, from the calls of a client that calls regularly, such as that of a
 * leader election. Watches that wait for their next try need not wait any longer then.
 */
export class RecoveryDetector {
  readonly #onRecovered: () => void;
  #failures = 0;

  constructor(onRecovered: () => void) {
    this.#onRecovered = onRecovered;
  }

  /** For the client's `observer`. */
  readonly observe: RequestObserver = ({ code }: RequestSample): void => {
    if (!isAnswer(code)) {
      this.#failures += 1;
      return;
    }
    const recovered = this.#failures >= FAILURES;
    this.#failures = 0;
    if (recovered) this.#onRecovered();
  };
}

/** A code of the server that says that it is at work; the codes of errors without an answer are words. */
function isAnswer(code: string): boolean {
  return /^[1-4]\d\d$/.test(code);
}

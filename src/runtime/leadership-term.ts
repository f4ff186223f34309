import type { WriteGate } from '../kube/write-gate.js';
import type { Clock, Timer } from '../lib/clock.js';
import { FederationError } from '../lib/errors.js';
import type { SentAt } from './lease-lock.js';

function notLeader(why: string): FederationError {
  return new FederationError('NOT_LEADER', why);
}

/** The gate of a process that doesn't lead. */
export const closedGate: WriteGate = {
  signal: AbortSignal.abort(notLeader('this process does not lead')),
  assertOpen: () => {
    throw notLeader('this process does not lead');
  },
};

/**
 * The gate of one term of leadership. It is open until `renewDeadlineMs` after the last renewal was *sent*: others wait
 * longer than that after they saw it. The timer ends the term in time; `assertOpen` looks at the clock itself because a
 * blocked event loop fires no timer.
 */
export class LeadershipTerm implements WriteGate {
  readonly #clock: Clock;
  readonly #renewDeadlineMs: number;
  readonly #abort = new AbortController();
  #renewed: SentAt;
  #timer: Timer | undefined;

  constructor(clock: Clock, renewDeadlineMs: number, acquired: SentAt) {
    this.#clock = clock;
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#renewed = acquired;
    this.#arm();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** True while writes are allowed. */
  get open(): boolean {
    return !this.signal.aborted && this.#sinceRenewalMs() < this.#renewDeadlineMs && !this.#suspended();
  }

  assertOpen(): void {
    if (this.signal.aborted) throw this.signal.reason as FederationError;
    if (this.#sinceRenewalMs() >= this.#renewDeadlineMs) {
      this.end('the lease was not renewed in time');
      throw this.signal.reason as FederationError;
    }
    if (this.#suspended()) throw notLeader('the lease has to be renewed after a jump of the clock');
  }

  /** Extends the term by a renewal that succeeded. */
  renewed(sentAt: SentAt): void {
    if (this.signal.aborted) return;
    this.#renewed = sentAt;
    this.#arm();
  }

  /** Closes the gate for good. */
  end(why: string): void {
    this.#timer?.cancel();
    if (!this.signal.aborted) this.#abort.abort(notLeader(why));
  }

  #arm(): void {
    this.#timer?.cancel();
    const leftMs = this.#renewDeadlineMs - this.#sinceRenewalMs();
    this.#timer = this.#clock.schedule(leftMs, () => {
      // A timer may fire a little early.
      if (this.#sinceRenewalMs() < this.#renewDeadlineMs) this.#arm();
      else this.end('the lease was not renewed in time');
    });
  }

  #sinceRenewalMs(): number {
    return this.#clock.monotonic() - this.#renewed.monotonicMs;
  }

  /**
   * Linux' monotonic clock stands still while a machine is suspended; the wall clock doesn't. A wall clock that was
   * merely set forward closes the gate too, but only until the next renewal.
   */
  #suspended(): boolean {
    return this.#clock.now() - this.#renewed.wallMs >= this.#renewDeadlineMs;
  }
}

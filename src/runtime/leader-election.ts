import type { KubeClient } from '../kube/client.js';
import { keyOf, type ObjectRef } from '../kube/resource.js';
import type { WriteGate } from '../kube/write-gate.js';
import { isAborted } from '../lib/abort.js';
import type { Clock, Random } from '../lib/clock.js';
import { withDeadline } from '../lib/deadline.js';
import { errorMessage, FederationError, TerminalError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { LeaseLock } from './lease-lock.js';
import { closedGate, LeadershipTerm } from './leadership-term.js';

/** How an elector is made. Times default to client-go's. */
export interface LeaderElectorOptions {
  /** Must not be behind the elector's own gate. */
  readonly client: Pick<KubeClient, 'get' | 'create' | 'update'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The Lease to compete for; made when missing. Its namespace must exist. */
  readonly lease: Required<ObjectRef>;
  /** Unique among all processes that ever compete, for instance host name and a random UUID. */
  readonly identity: string;
  /** How long others wait after the last renewal that they saw; default 15 s. */
  readonly leaseDurationMs?: number | undefined;
  /** How long after the last renewal writing is allowed; default 10 s. */
  readonly renewDeadlineMs?: number | undefined;
  /** Time between attempts; default 2 s. */
  readonly retryPeriodMs?: number | undefined;
  /** How long the leader's work may take to end after the term has; default 30 s. */
  readonly stopTimeoutMs?: number | undefined;
  /** Told whenever this process starts or stops leading. Must not throw. */
  readonly onChange?: ((leading: boolean) => void) | undefined;
}

/** What only one process may do at a time. Must end soon after its signal aborts. */
export type Lead = (leading: AbortSignal) => Promise<void>;

/** Attempts of a candidate are this much apart at random, as a share of the retry period (client-go's factor). */
const CAMPAIGN_JITTER = 1.2;
const RELEASE_ATTEMPTS = 3;

/** How the leader's work ended. */
type Ending = { readonly failed: false } | { readonly failed: true; readonly error: unknown };

/**
 * Elects one of several processes by a Lease, with client-go's protocol, but without ending the process on a loss: it
 * campaigns again. No two gates are open at the same time, provided that clocks run at about the same speed (the margin
 * is the lease duration minus the renew deadline) and that nobody deletes the Lease while a process starts.
 */
export class LeaderElector {
  /** Open while this process leads; the same object for all its terms. */
  readonly gate: WriteGate;
  readonly #options: LeaderElectorOptions;
  readonly #lock: LeaseLock;
  readonly #logger: Logger;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  #term: LeadershipTerm | undefined;

  constructor(options: LeaderElectorOptions) {
    const { client, clock, lease, identity, leaseDurationMs = 15_000 } = options;
    this.#options = options;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2000;
    checkTimes(leaseDurationMs, this.#renewDeadlineMs, this.#retryPeriodMs);
    this.#logger = options.logger.child({ lease: keyOf(lease), identity });
    this.#lock = new LeaseLock({ client, clock, lease, identity, leaseDurationMs });
    const current = (): WriteGate => this.#term ?? closedGate;
    this.gate = {
      get signal() {
        return current().signal;
      },
      assertOpen: () => current().assertOpen(),
    };
  }

  /** True while this process may write. */
  get leading(): boolean {
    return this.#term?.open ?? false;
  }

  /** Identity of the leader as last seen, this process or another. */
  get holder(): string | undefined {
    return this.#lock.holder;
  }

  /**
   * Campaigns, calls `lead` for each term with a signal that aborts when the term ends, waits for it to end, and
   * campaigns again. Resolves after the signal aborted, or after `lead` ended by itself; the Lease is then released.
   * Rejects with what `lead` throws during a term, and with `INTERNAL` when it doesn't end within the stop timeout:
   * a second term beside it would be wrong, so the process should exit.
   */
  async run(signal: AbortSignal, lead: Lead): Promise<void> {
    for (;;) {
      const term = await this.#campaign(signal);
      if (term === undefined) return;
      const ending = await this.#serve(term, signal, lead);
      if (ending?.failed) throw ending.error;
      if (ending !== undefined) return;
    }
  }

  /** Tries until the Lease is ours; undefined when the signal aborts first. */
  async #campaign(signal: AbortSignal): Promise<LeadershipTerm | undefined> {
    const { clock, random } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const outcome = await this.#attempt(this.#renewDeadlineMs, signal);
        failures = 0;
        const term = outcome.held ? new LeadershipTerm(clock, this.#renewDeadlineMs, outcome.sentAt) : undefined;
        if (term?.open) return term;
        term?.end('the lease was acquired too late');
      } catch (error) {
        if (!isAborted(signal) && failures++ === 0)
          this.#logger.warn('cannot compete for the lease, will keep trying', { error: errorMessage(error) });
      }
      const delayMs = this.#retryPeriodMs * (1 + CAMPAIGN_JITTER * random());
      await clock.sleep(delayMs, signal).catch(() => undefined);
    }
    return undefined;
  }

  /** One term. Undefined when the leadership was lost, otherwise how the work ended. */
  async #serve(term: LeadershipTerm, signal: AbortSignal, lead: Lead): Promise<Ending | undefined> {
    const { clock, onChange, stopTimeoutMs = 30_000 } = this.#options;
    let finished: Ending | undefined;
    const stop = (): void => term.end('this process stops');
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    this.#term = term;
    this.#logger.info('started leading');
    onChange?.(true);
    const work = runWork(lead, term.signal).then((ending) => {
      if (!term.signal.aborted) finished = ending;
      else if (ending.failed)
        this.#logger.debug('work of the leader was cut off', { error: errorMessage(ending.error) });
      term.end('the work of the leader ended');
    });
    await this.#renew(term);
    signal.removeEventListener('abort', stop);
    this.#logger.info('stopped leading', { reason: errorMessage(term.signal.reason) });
    onChange?.(false);
    await withDeadline(clock, stopTimeoutMs, () => work).catch((cause: unknown) => {
      throw new FederationError('INTERNAL', 'the work of the leader did not end after its leadership', { cause });
    });
    this.#term = undefined;
    if (finished === undefined && !signal.aborted) return undefined;
    await this.#release();
    return finished ?? { failed: false };
  }

  /** Renews until the term ends, which it does by itself when no renewal succeeds in time. */
  async #renew(term: LeadershipTerm): Promise<void> {
    const { clock } = this.#options;
    while (!term.signal.aborted) {
      await clock.sleep(this.#retryPeriodMs, term.signal).catch(() => undefined);
      if (isAborted(term.signal)) return;
      try {
        // Half of the deadline, so that a connection that hangs leaves time for another try.
        const outcome = await this.#attempt(this.#renewDeadlineMs / 2, term.signal);
        if (outcome.held) term.renewed(outcome.sentAt);
        else term.end(`the lease is held by ${outcome.holder}`);
      } catch (error) {
        if (!isAborted(term.signal)) this.#logger.warn('cannot renew the lease', { error: errorMessage(error) });
      }
    }
  }

  #attempt(timeoutMs: number, signal: AbortSignal): ReturnType<LeaseLock['acquireOrRenew']> {
    return withDeadline(this.#options.clock, timeoutMs, (limited) => this.#lock.acquireOrRenew(limited), signal);
  }

  /** Best effort: without it, others wait for the lease to expire. */
  async #release(): Promise<void> {
    const { clock } = this.#options;
    for (let attempt = 1; attempt <= RELEASE_ATTEMPTS; attempt++) {
      try {
        // A renewal that was cut off may still arrive and make the first attempt conflict.
        await withDeadline(clock, this.#retryPeriodMs, (signal) => this.#lock.release(signal));
        return;
      } catch (error) {
        this.#logger.warn('cannot release the lease', { attempt, error: errorMessage(error) });
      }
    }
  }
}

async function runWork(lead: Lead, signal: AbortSignal): Promise<Ending> {
  try {
    await lead(signal);
    return { failed: false };
  } catch (error) {
    return { failed: true, error };
  }
}

function checkTimes(leaseDurationMs: number, renewDeadlineMs: number, retryPeriodMs: number): void {
  const ordered = leaseDurationMs > renewDeadlineMs && renewDeadlineMs > CAMPAIGN_JITTER * retryPeriodMs;
  if (ordered && retryPeriodMs > 0) return;
  throw new TerminalError(
    'CONFIG_INVALID',
    'leader election needs: lease duration > renew deadline > 1.2 x retry period > 0',
  );
}

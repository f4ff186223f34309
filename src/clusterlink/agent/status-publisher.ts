import type { NodeConfig, NodeConfigStatus } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { desiredStatus, differs, type Report } from './status.js';
import type { StatusWriter } from './status-writer.js';

/** Collaborators of {@link StatusPublisher}. */
export interface StatusPublisherDeps {
  readonly writer: StatusWriter;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A status that says nothing new is written so seldom: a large config comes along to all who watch, and Leases are cheap. */
const REFRESH_MS = 300_000;
const INTERVAL_MS = 1_000;

interface Pending {
  readonly config: NodeConfig;
  readonly report: Report;
}

/** Writes the agent's status: at once when it says something new, but at most once a second, and else now and then. */
export class StatusPublisher {
  readonly #deps: StatusPublisherDeps;
  #pending: Pending | undefined;
  #written: { readonly uid: string | undefined; readonly status: NodeConfigStatus; readonly atMs: number } | undefined;

  constructor(deps: StatusPublisherDeps) {
    this.#deps = deps;
  }

  /** Says what the status should be from now on. */
  publish(config: NodeConfig, report: Report): void {
    this.#pending = { config, report };
  }

  /** Writes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pending = this.#pending;
      this.#pending = undefined;
      if (pending !== undefined) await this.#write(pending, signal);
      await this.#deps.clock.sleep(INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  async #write(pending: Pending, signal: AbortSignal): Promise<void> {
    const { writer, clock, logger } = this.#deps;
    const uid = pending.config.metadata?.uid;
    const before = this.#written?.uid === uid ? this.#written : undefined;
    const status = desiredStatus(pending.report, before?.status ?? pending.config.status);
    const isQuiet = before !== undefined && clock.monotonic() - before.atMs < REFRESH_MS;
    if (isQuiet && !differs(before.status, status)) return;
    try {
      await writer.write(pending.config, status, signal);
      this.#written = { uid, status, atMs: clock.monotonic() };
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('the status could not be written', { error: errorMessage(error) });
      // Unless there is a newer one by now.
      this.#pending ??= pending;
    }
  }
}

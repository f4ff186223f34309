import PQueue from 'p-queue';
import type { Node } from '../../apis/core.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { NodeLeases } from './leases.js';

export interface LeaseRenewalsOptions {
  readonly leases: NodeLeases;
  /** Whether the member answers; asked right before each renewal, which may have had to wait. */
  readonly isReachable: () => boolean;
  readonly logger: Logger;
}

/** Renewals under way at the same time; a member may have hundreds of virtual nodes. */
const CONCURRENCY = 16;

/** Renews leases in the background. However slow the host is, at most one renewal of each node waits. */
export class LeaseRenewals {
  readonly #options: LeaseRenewalsOptions;
  readonly #queue = new PQueue({ concurrency: CONCURRENCY });
  readonly #pending = new Set<string>();

  constructor(options: LeaseRenewalsOptions) {
    this.#options = options;
  }

  /** Has the lease renewed as soon as possible, unless that is about to happen anyway. */
  add(node: Node, signal: AbortSignal): void {
    const name = node.metadata?.name ?? '';
    if (this.#pending.has(name)) return;
    this.#pending.add(name);
    void this.#queue.add(() => this.#renew(name, node, signal));
  }

  /** Drops what waits; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#queue.clear();
    await this.#queue.onIdle();
  }

  /** Never rejects. */
  async #renew(name: string, node: Node, signal: AbortSignal): Promise<void> {
    const { leases, isReachable, logger } = this.#options;
    try {
      if (isReachable() && !signal.aborted) await leases.renew(node, signal);
    } catch (error) {
      if (!signal.aborted) logger.warn('lease could not be renewed', { node: name, error: errorMessage(error) });
    } finally {
      this.#pending.delete(name);
    }
  }
}

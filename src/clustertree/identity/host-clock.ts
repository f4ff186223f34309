import type { CallOptions, KubeClient } from '../../kube/client.js';
import type { Clock } from '../../lib/clock.js';

/** Clocks of two machines drift apart by less than a second in this time. */
const REFRESH_MS = 10 * 60_000;

/**
 * What time it is for the host's API server. Tokens are stamped with that clock, and their age can be told by no other:
 * it is read now and then, and carried on by counting the time that has passed here.
 */
export class HostClock {
  readonly #host: Pick<KubeClient, 'serverTime'>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #read: { readonly time: number; readonly at: number } | undefined;

  constructor(host: Pick<KubeClient, 'serverTime'>, clock: Pick<Clock, 'monotonic'>) {
    this.#host = host;
    this.#clock = clock;
  }

  /** Milliseconds since the epoch; late by a second at most, and by the time that the answer was on its way. */
  async now(options: CallOptions): Promise<number> {
    const monotonic = this.#clock.monotonic();
    if (this.#read !== undefined && monotonic - this.#read.at < REFRESH_MS) return this.#carriedOn(this.#read);
    const time = await this.#host.serverTime(options);
    this.#read = { time, at: this.#clock.monotonic() };
    return time;
  }

  /** Without asking; undefined when nobody has asked yet. */
  estimate(): number | undefined {
    return this.#read === undefined ? undefined : this.#carriedOn(this.#read);
  }

  #carriedOn({ time, at }: { readonly time: number; readonly at: number }): number {
    return time + this.#clock.monotonic() - at;
  }
}

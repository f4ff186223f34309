/** Probes that are looked at for loss and round-trip time. */
const WINDOW = 20;

interface Probe {
  readonly sequence: number;
  readonly sentAtMs: number;
  rttMs: number | undefined;
}

/** How a peer is judged. */
export interface WindowLimits {
  /** A probe without an answer is lost after this time. */
  readonly timeoutMs: number;
  /** So many lost probes in a row mean that the peer is dead. */
  readonly deadAfter: number;
}

/**
 * The last probes of one peer. A peer is judged by probes that were sent, not by the time since it answered: when this
 * process was held up, it has asked less, and that isn't the peer's fault.
 */
export class ProbeWindow {
  readonly #limits: WindowLimits;
  readonly #probes: Probe[] = [];

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  sent(sequence: number, nowMs: number): void {
    this.#probes.push({ sequence, sentAtMs: nowMs, rttMs: undefined });
    if (this.#probes.length > WINDOW) this.#probes.shift();
  }

  /** An answer to a probe that is too old counts for nothing. */
  answered(sequence: number, nowMs: number): void {
    const probe = this.#probes.find((one) => one.sequence === sequence);
    if (probe !== undefined) probe.rttMs ??= nowMs - probe.sentAtMs;
  }

  /** Whether the peer is there; undefined when it isn't known (yet). */
  alive(nowMs: number): boolean | undefined {
    const settled = this.#settled(nowMs);
    const last = settled.slice(-this.#limits.deadAfter);
    if (last.some(({ rttMs }) => rttMs !== undefined)) return true;
    return last.length === this.#limits.deadAfter ? false : undefined;
  }

  /** Average time of those that came back, in milliseconds; undefined when none did. */
  rttMs(nowMs: number): number | undefined {
    const times = this.#settled(nowMs).flatMap(({ rttMs }) => rttMs ?? []);
    return times.length === 0 ? undefined : times.reduce((sum, time) => sum + time, 0) / times.length;
  }

  /** Part of the probes that didn't come back, from 0 to 1. */
  loss(nowMs: number): number {
    const settled = this.#settled(nowMs);
    const lost = settled.filter(({ rttMs }) => rttMs === undefined).length;
    return settled.length === 0 ? 0 : lost / settled.length;
  }

  /** Those that were answered, or that won't be any more. */
  #settled(nowMs: number): readonly Probe[] {
    return this.#probes.filter(
      ({ rttMs, sentAtMs }) => rttMs !== undefined || nowMs - sentAtMs > this.#limits.timeoutMs,
    );
  }
}

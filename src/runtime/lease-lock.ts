import type { Lease } from '../apis/core.js';
import { isConflict, isNotFound } from '../kube/api-error.js';
import type { KubeClient } from '../kube/client.js';
import { leases, type ObjectRef } from '../kube/resource.js';
import type { Clock } from '../lib/clock.js';
import { microTime } from '../lib/micro-time.js';

/** Which Lease a process competes for, and as whom. */
export interface LeaseLockOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'update'>;
  readonly clock: Clock;
  readonly lease: Required<ObjectRef>;
  /** Unique among all processes that ever compete. */
  readonly identity: string;
  /** How long others wait after the last renewal that they saw; whole seconds are written. */
  readonly leaseDurationMs: number;
}

/** Times of the local clocks just before a request was sent. */
export interface SentAt {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** Either the Lease is ours since (at least) a request was sent, or somebody else's. */
export type LockOutcome =
  { readonly held: true; readonly sentAt: SentAt } | { readonly held: false; readonly holder: string };

/** What others may see of a holder; any change means that it was alive. */
interface Observation {
  readonly record: string;
  readonly holder: string;
  readonly validUntilMs: number;
}

/**
 * One process's view of a Lease. Whether another holder is alive is judged only by how long ago, on the local monotonic
 * clock, its record was last seen to change; the times in the record were made by another clock and are not compared.
 */
export class LeaseLock {
  readonly #options: LeaseLockOptions;
  #lease: Lease | undefined;
  #observed: Observation | undefined;
  #lastRenewWallMs = 0;

  constructor(options: LeaseLockOptions) {
    this.#options = options;
  }

  /** Who held the Lease when it was last seen; undefined when nobody did. */
  get holder(): string | undefined {
    return this.#observed?.holder === '' ? undefined : this.#observed?.holder;
  }

  /** Takes or renews the Lease if nobody else can be alive on it. Rejects when a request fails. */
  async acquireOrRenew(signal: AbortSignal): Promise<LockOutcome> {
    const { client, clock, lease: ref, identity } = this.#options;
    if (this.#lease?.spec?.holderIdentity === identity) {
      try {
        return await this.#write(this.#lease, signal);
      } catch (error) {
        // Changed or deleted by somebody else: look again. Every other failure is the caller's to retry.
        if (!isConflict(error) && !isNotFound(error)) throw error;
      }
    }
    this.#lease = undefined;
    const startedAtMs = clock.monotonic();
    const lease = await client.get(leases, ref, { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (lease !== undefined) this.#observe(lease);
    const observed = this.#observed;
    // A Lease that was deleted doesn't stop its holder, which may believe in it for as long as it could before.
    if (observed !== undefined && observed.holder !== '' && observed.holder !== identity) {
      if (startedAtMs < observed.validUntilMs) return { held: false, holder: observed.holder };
    }
    signal.throwIfAborted();
    return this.#write(lease, signal);
  }

  /** Gives the Lease up, so that others need not wait. Does nothing when it isn't ours. */
  async release(signal: AbortSignal): Promise<void> {
    const { client, clock, lease: ref, identity } = this.#options;
    const lease = await client.get(leases, ref, { signal });
    if (lease.spec?.holderIdentity !== identity) return;
    const now = microTime(clock.now());
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    const released = await client.update(leases, { ...lease, spec }, { signal });
    this.#lease = undefined;
    this.#observe(released);
  }

  async #write(lease: Lease | undefined, signal: AbortSignal): Promise<LockOutcome> {
    const { client, clock, lease: ref, identity, leaseDurationMs } = this.#options;
    const sentAt = { monotonicMs: clock.monotonic(), wallMs: clock.now() };
    // Others must see a change even if the wall clock stands still or is set back.
    const renewWallMs = sentAt.wallMs === this.#lastRenewWallMs ? sentAt.wallMs + 1 : sentAt.wallMs;
    this.#lastRenewWallMs = renewWallMs;
    const renewTime = microTime(renewWallMs);
    const old = lease?.spec;
    const taken = old?.holderIdentity !== identity;
    const spec = {
      ...old,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      renewTime,
      acquireTime: taken ? renewTime : (old.acquireTime ?? renewTime),
      leaseTransitions: (old?.leaseTransitions ?? 0) + (taken && lease !== undefined ? 1 : 0),
    };
    const written =
      lease === undefined
        ? await client.create(leases, { metadata: { ...ref }, spec }, { signal })
        : await client.update(leases, { ...lease, spec }, { signal });
    this.#lease = written;
    this.#observe(written);
    return { held: true, sentAt };
  }

  #observe(lease: Lease): void {
    const record = JSON.stringify(lease.spec ?? {});
    if (record === this.#observed?.record) return;
    const seconds = lease.spec?.leaseDurationSeconds;
    const durationMs = seconds === undefined ? this.#options.leaseDurationMs : seconds * 1000;
    this.#observed = {
      record,
      holder: lease.spec?.holderIdentity ?? '',
      validUntilMs: this.#options.clock.monotonic() + durationMs,
    };
  }
}

/** RFC 3339 with six decimals, as Leases have them. */

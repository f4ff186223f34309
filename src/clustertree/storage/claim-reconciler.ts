import type { Claim } from '../../apis/core.js';
import { ApiError, isNotFound } from '../../kube/api-error.js';
import { claims, splitKey, volumes, type ObjectKey } from '../../kube/resource.js';
import { errorMessage } from '../../lib/errors.js';
import { KeyedLock } from '../../lib/keyed-lock.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { EventSink } from '../../runtime/event-sink.js';
import type { ClaimAction } from './claim-action.js';
import { ClaimReader, type ClaimReaderOptions, type LiveClaim } from './claim-reader.js';
import { copyOf, placementOf, type ClaimState } from './claim-state.js';
import { decideClaim } from './claim-verdict.js';
import { nameOf } from './fields.js';
import { ClaimWriter, type ClaimWriterOptions, type WriteAction } from './claim-writer.js';

export interface ClaimReconcilerOptions extends Omit<ClaimReaderOptions, 'host'>, ClaimWriterOptions {
  readonly events: EventSink<Claim>;
  /** Called with a key that can't be judged before the caches are current; it is to be queued again then. */
  readonly onWaiting: (key: ObjectKey) => void;
}

/** What a pod that needs the claim in the member has to know. */
export type ClaimOutcome =
  | { readonly kind: 'ready' }
  /** `reason` is that of the Event on the pod. */
  | { readonly kind: 'unmet'; readonly reason: string; readonly message: string };

/** HTTP codes that say that the member will not have it so: quota, admission, validation. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 413, 422]);
/** When something that was reported is looked at again although nothing seems to have changed. */
const REPORTED_RETRY_MS = 60_000;
const UNFINISHED_RETRY_MS = 1_000;
/** One step may lead to the next; more than this in one go is a mistake. */
const MAX_STEPS = 8;
/** After these the next step is for somebody else. */
const LAST: ReadonlySet<ClaimAction['kind']> = new Set([
  ...(['nothing', 'wait', 'report', 'sync', 'reject', 'delete-member-claim', 'delete-copy-volume'] as const),
]);

/** How far one go has come. */
interface Progress {
  readonly action: ClaimAction;
  readonly state: ClaimState;
}

/**
 * Brings one claim in one member in step with the host: reads the caches, decides, acts, until there is nothing more to
 * do now. Of each claim one go is under way at a time, whoever asked for it.
 */
export class ClaimReconciler implements Reconciler {
  readonly #options: ClaimReconcilerOptions;
  readonly #reader: ClaimReader;
  readonly #writer: ClaimWriter;
  readonly #lock = new KeyedLock();

  constructor(options: ClaimReconcilerOptions) {
    this.#options = options;
    this.#reader = new ClaimReader(options);
    this.#writer = new ClaimWriter(options);
  }

  /** Whether the caches of both sides can be acted on. */
  get isCurrent(): boolean {
    const { host, member } = this.#reader.isCurrent;
    return host && member;
  }

  async reconcile(key: ObjectKey, context: { readonly signal: AbortSignal }): Promise<Result> {
    const { action, state } = await this.#lock.run(key, () => this.#go(key, context.signal));
    switch (action.kind) {
      case 'wait':
        if (action.reason === 'HostNotSynced' || action.reason === 'MemberNotSynced') this.#options.onWaiting(key);
        return {};
      case 'report':
      case 'reject':
        if (state.hostClaim !== undefined) this.#options.events.warn(state.hostClaim, action.reason, action.message);
        return action.kind === 'report' ? { requeueAfterMs: REPORTED_RETRY_MS } : {};
      default:
        return LAST.has(action.kind) ? {} : { requeueAfterMs: UNFINISHED_RETRY_MS };
    }
  }

  /** For a pod that is about to be made. Costs no call when the claim is there already. */
  async ensure(key: ObjectKey, signal: AbortSignal): Promise<ClaimOutcome> {
    const present = this.#lock.isBusy(key) ? undefined : readyClaim(this.#reader.read(key));
    if (present !== undefined) return { kind: 'ready' };
    const { action, state } = await this.#lock.run(key, () => this.#go(key, signal));
    if (readyClaim(state) !== undefined) return { kind: 'ready' };
    return unmet(action, state);
  }

  async #go(key: ObjectKey, signal: AbortSignal): Promise<Progress> {
    let live: LiveClaim = {};
    for (let step = 1; ; step += 1) {
      const state = this.#reader.read(key, live);
      const action = decideClaim(state);
      if (action.kind === 'nothing' || action.kind === 'wait' || action.kind === 'report') return { action, state };
      if (action.kind === 'confirm-host') live = { ...live, hostClaim: await this.#hostClaim(key, signal) };
      else if (action.kind === 'confirm-volume') {
        live = { ...live, memberVolume: await this.#memberVolume(action.name, signal) };
      } else {
        const refusal = await this.#write(state, action, signal);
        if ('action' in refusal) return refusal;
        live = refusal;
      }
      if (LAST.has(action.kind) || step === MAX_STEPS) return { action, state: this.#reader.read(key, live) };
    }
  }

  /** What the member turns down may be accepted later, so it is reported and tried again. */
  async #write(state: ClaimState, action: WriteAction, signal: AbortSignal): Promise<LiveClaim | Progress> {
    try {
      return await this.#writer.write(state, action, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || !REFUSALS.has(error.statusCode)) throw error;
      return { state, action: { kind: 'report', reason: 'MemberRefusedClaim', message: errorMessage(error) } };
    }
  }

  #hostClaim(key: ObjectKey, signal: AbortSignal): Promise<Claim | null> {
    return orNull(this.#options.client.get(claims, splitKey(key), { signal }));
  }

  #memberVolume(name: string, signal: AbortSignal): ReturnType<typeof orNull<NonNullable<ClaimState['memberVolume']>>> {
    return orNull(this.#options.member.client.get(volumes, { name }, { signal }));
  }
}

/** Null instead of 404. */
async function orNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** The member claim that pods of the host claim can mount now. */
function readyClaim(state: ClaimState): Claim | undefined {
  const { hostClaim } = state;
  if (hostClaim === undefined) return undefined;
  const placement = placementOf(state, hostClaim).kind;
  if (placement !== 'here' && placement !== 'one-way') return undefined;
  const claim = copyOf(state, hostClaim);
  return claim?.metadata?.deletionTimestamp || claim?.status?.phase === 'Lost' ? undefined : claim;
}

function unmet(action: ClaimAction, state: ClaimState): ClaimOutcome {
  if (action.kind === 'report' || action.kind === 'reject') {
    return { kind: 'unmet', reason: action.reason, message: action.message };
  }
  const { hostClaim, ownership } = state;
  const placement = hostClaim === undefined ? { kind: 'unbound' as const } : placementOf(state, hostClaim);
  if (placement.kind === 'elsewhere') return { ...placement, kind: 'unmet' };
  const isBound = placement.kind === 'here' || placement.kind === 'one-way';
  const isGoing = action.kind === 'wait' && action.reason === 'MemberDeleting';
  const what = isBound
    ? `is being ${isGoing ? 'deleted' : 'made'} in member cluster ${ownership.clusterName}`
    : 'is not bound; the scheduler sees to that, which the pod may have gone past';
  return { kind: 'unmet', reason: 'FailedMount', message: `persistentvolumeclaim "${nameOf(hostClaim)}" ${what}` };
}

import type { KubeObject, TokenRequest } from '../../src/apis/core.js';
import { ApiError } from '../../src/kube/api-error.js';
import type {
  CallOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  ObjectList,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../../src/kube/client.js';
import { resourcePath, type ObjectRef, type ResourceType } from '../../src/kube/resource.js';
import { systemClock, type Clock } from '../../src/lib/clock.js';
import { applyPatch, type Json } from './fake-patch.js';
import { FakeStore, type Stored, type StoreEvent } from './fake-store.js';
import { matchesFields, matchesLabels } from './selectors.js';

type AnyType = ResourceType<KubeObject>;

export type Verb = 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete' | 'watch' | 'getPath';

/** One request that reached the fake, whether it succeeded or not. */
export interface RecordedCall {
  readonly verb: Verb;
  /** Absent for `getPath`. */
  readonly type?: AnyType;
  /** Plural name of the type, or the path of `getPath`. */
  readonly resource: string;
  /** Empty name for list and watch. */
  readonly ref: ObjectRef;
  readonly subresource?: string | undefined;
  /** The object of a create or update, or the patch. */
  readonly body?: unknown;
  readonly options?: unknown;
}

/** Which calls a failure is for; absent fields match all. */
export interface CallMatch {
  readonly verb?: Verb;
  readonly type?: AnyType;
  readonly name?: string;
  readonly subresource?: string;
}

/** A way to fail. */
export interface Failure extends CallMatch {
  readonly error: Error;
  /** How many matching calls fail; once when absent. */
  readonly times?: number;
  /** `after`: the write happens, but its answer is lost. Default `before`. */
  readonly when?: 'before' | 'after';
}

function matches(match: CallMatch, call: RecordedCall): boolean {
  return (
    (match.verb === undefined || match.verb === call.verb) &&
    (match.type === undefined || match.type.plural === call.type?.plural) &&
    (match.name === undefined || match.name === call.ref.name) &&
    (match.subresource === undefined || match.subresource === call.subresource)
  );
}

/** An API server in memory for unit tests: one cluster's objects, and a record of all calls. */
export class FakeKubeClient implements KubeClient {
  readonly store: FakeStore;
  /** Every call in order; tests may empty it. */
  readonly calls: RecordedCall[] = [];
  /** Answers of `getPath`. */
  readonly paths = new Map<string, string>([['/readyz', 'ok']]);
  /** Runs before each call and may wait or throw; for latency, gates and partitions. */
  intercept: ((call: RecordedCall) => Promise<void> | void) | undefined;
  closed = false;
  /** What `serverTime` says; the clock of the test when absent. */
  readonly #time: Pick<Clock, 'now'>;
  #tokens = 0;
  readonly #failures: { failure: Failure; left: number }[] = [];

  constructor(options: { readonly clock?: Pick<Clock, 'now'> } = {}) {
    this.#time = options.clock ?? systemClock;
    this.store = new FakeStore(this.#time);
  }

  /** Puts an object in place without recording a call; status, UID and creation time are kept when given. */
  seed<T extends KubeObject>(type: ResourceType<T>, object: T): T {
    return structuredClone(this.store.insert(type, object, true)) as T;
  }

  /** The object as stored, without recording a call. */
  peek<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): T | undefined {
    return structuredClone(this.store.find(type, ref)) as T | undefined;
  }

  /** All objects of a type, ordered by key, without recording a call. */
  peekAll<T extends KubeObject>(type: ResourceType<T>): T[] {
    return structuredClone(this.store.all(type)) as unknown as T[];
  }

  /** Strategic merge patch of spec, metadata and status behind everyone's back, without recording a call. */
  edit<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, patch: unknown): T {
    const changed = this.store.replace(type, this.store.require(type, ref), this.#merged(type, ref, patch));
    const status = (patch as Json)['status'];
    if (status === undefined) return structuredClone(changed) as T;
    const wanted = applyPatch(changed, { status }, 'strategic');
    return structuredClone(this.store.replace(type, changed, wanted, 'status')) as T;
  }

  /** Takes an object away at once, whatever its finalizers, without recording a call. */
  erase(type: AnyType, ref: ObjectRef): void {
    this.store.erase(type, ref);
  }

  /** Makes the next matching call(s) fail. */
  fail(failure: Failure): void {
    this.#failures.push({ failure, left: failure.times ?? 1 });
  }

  /** Recorded calls that match. */
  callsOf(match: CallMatch): RecordedCall[] {
    return this.calls.filter((call) => matches(match, call));
  }

  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, options: CallOptions = {}): Promise<T> {
    return this.#call({ verb: 'get', type, resource: type.plural, ref, options }, () => this.store.require(type, ref));
  }

  list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const ref = { namespace: options.namespace, name: '' };
    return this.#call({ verb: 'list', type, resource: type.plural, ref, options }, () => {
      const all = this.store.all(type).filter((object) => selected(object, options));
      const start = Number(options.continueToken ?? 0);
      const end = options.limit ? start + options.limit : all.length;
      return {
        items: all.slice(start, end).map((object) => view(type, object)),
        resourceVersion: String(this.store.resourceVersion),
        ...(end < all.length ? { continueToken: String(end) } : {}),
      };
    });
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const ref = refOf(object);
    const { subresource } = options;
    const call: RecordedCall = {
      verb: 'create',
      type,
      resource: type.plural,
      ref,
      subresource,
      body: copy(object),
      options,
    };
    return this.#call(call, () => {
      if (subresource === 'token') return this.#issue(call.body as TokenRequest);
      return subresource === undefined && !options.dryRun ? this.store.insert(type, call.body) : call.body;
    });
  }

  update<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const ref = refOf(object);
    const { subresource } = options;
    const call: RecordedCall = {
      verb: 'update',
      type,
      resource: type.plural,
      ref,
      subresource,
      body: copy(object),
      options,
    };
    return this.#call(call, () => {
      const current = this.store.require(type, ref);
      for (const key of ['uid', 'resourceVersion'] as const) {
        const wanted = object.metadata?.[key];
        if (wanted && wanted !== current.metadata[key])
          throw new ApiError({ code: 409, reason: 'Conflict', message: `${key} of ${ref.name} is another one` });
      }
      return this.store.replace(type, current, call.body as Json, subresource);
    });
  }

  patch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: unknown,
    options: PatchOptions,
  ): Promise<T> {
    const { subresource } = options;
    const call: RecordedCall = {
      verb: 'patch',
      type,
      resource: type.plural,
      ref,
      subresource,
      body: copy(patch),
      options,
    };
    return this.#call(call, () => {
      if (options.type === 'apply' && this.store.find(type, ref) === undefined)
        return this.store.insert(type, call.body);
      const wanted = this.#merged(type, ref, call.body, options);
      if (options.dryRun) return wanted;
      return this.store.replace(type, this.store.require(type, ref), wanted, subresource);
    });
  }

  delete(type: AnyType, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    return this.#call({ verb: 'delete', type, resource: type.plural, ref, options }, () => {
      this.store.remove(type, ref, options);
    });
  }

  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): Promise<AsyncIterable<WatchEvent<T>>> {
    const ref = { namespace: options.namespace, name: '' };
    const call: RecordedCall = { verb: 'watch', type, resource: type.plural, ref };
    const from = Number(options.resourceVersion ?? this.store.resourceVersion);
    return this.#call(call, () => undefined).then(() => watchStore(this.store, type, options, from));
  }

  getPath(path: string, options: CallOptions = {}): Promise<string> {
    return this.#call({ verb: 'getPath', resource: path, ref: { name: '' }, options }, () => {
      const body = this.paths.get(path);
      if (body === undefined) throw new ApiError({ code: 404, reason: 'NotFound', message: path });
      return body;
    });
  }

  /** What its clock shows, without recording a call. */
  now(): number {
    return this.#time.now();
  }

  serverTime(options: CallOptions = {}): Promise<number> {
    const call: RecordedCall = { verb: 'getPath', resource: '/version', ref: { name: '' }, options };
    return this.#call(call, () => this.#time.now());
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  /** A token that nobody has signed. */
  #issue(request: TokenRequest): object {
    const iat = Math.floor(this.#time.now() / 1000);
    const exp = iat + (request.spec?.expirationSeconds ?? 3600);
    const sub = `system:serviceaccount:${request.metadata?.namespace ?? ''}:${request.metadata?.name ?? ''}`;
    const claims = { sub, aud: request.spec?.audiences, iat, exp, jti: String(++this.#tokens) };
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.unsigned`;
    return { ...request, status: { token, expirationTimestamp: new Date(exp * 1000).toISOString() } };
  }

  /** The current object with a patch applied; refuses a patch that means another object, as the API server does. */
  #merged(type: AnyType, ref: ObjectRef, patch: unknown, options: PatchOptions = { type: 'strategic' }): Json {
    const current = this.store.require(type, ref);
    const wanted = applyPatch(current, patch, options.type);
    const { uid, resourceVersion } = (wanted['metadata'] ?? {}) as { uid?: string; resourceVersion?: string };
    if (uid !== current.metadata['uid'])
      throw new ApiError({ code: 422, reason: 'Invalid', message: 'metadata.uid: field is immutable' });
    if (resourceVersion !== current.metadata['resourceVersion'])
      throw new ApiError({ code: 409, reason: 'Conflict', message: 'the object has been modified' });
    return wanted;
  }

  async #call<R>(call: RecordedCall, act: () => unknown): Promise<R> {
    this.calls.push(call);
    const { signal } = (call.options ?? {}) as CallOptions;
    signal?.throwIfAborted();
    await this.intercept?.(call);
    signal?.throwIfAborted();
    const entry = this.#failures.find(({ failure, left }) => left > 0 && matches(failure, call));
    if (entry !== undefined) entry.left--;
    if (entry !== undefined && entry.failure.when !== 'after') throw entry.failure.error;
    const result = view(call.type, act());
    if (entry !== undefined) throw entry.failure.error;
    return copy(result) as R;
  }
}

/** What of an object such a type shows. Anything else that a call gives back has no metadata. */
function view(type: AnyType | undefined, object: unknown): unknown {
  if (type?.metadataOnly !== true || typeof object !== 'object' || object === null || !('metadata' in object))
    return object;
  return { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: object.metadata };
}

function copy(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

function refOf(object: KubeObject): ObjectRef {
  return { namespace: object.metadata?.namespace, name: object.metadata?.name ?? '' };
}

function selected(object: Stored, options: ListOptions | WatchOptions): boolean {
  const { namespace, labels } = object.metadata as { namespace?: string; labels?: Record<string, string> };
  if (options.namespace !== undefined && options.namespace !== namespace) return false;
  return matchesLabels(labels ?? {}, options.labelSelector) && matchesFields(object, options.fieldSelector);
}

/** The changes after a resource version, until the signal aborts. An object that leaves the selection is not `DELETED`. */
async function* watchStore<T extends KubeObject>(
  store: FakeStore,
  type: ResourceType<T>,
  options: WatchOptions,
  from: number,
): AsyncIterable<WatchEvent<T>> {
  const wanted = (change: StoreEvent): boolean =>
    change.plural === resourcePath(type, {}) && change.resourceVersion > from && selected(change.event.object, options);
  const queue = store.history.filter(wanted);
  let wake = (): void => undefined;
  const stop = store.onChange((change) => {
    if (wanted(change)) queue.push(change);
    wake();
  });
  const onAbort = (): void => wake();
  options.signal.addEventListener('abort', onAbort);
  try {
    while (!options.signal.aborted) {
      const next = queue.shift();
      if (next !== undefined) {
        const { type: kind, object } = structuredClone(next.event);
        yield { type: kind, object: view(type, object) } as unknown as WatchEvent<T>;
      } else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop();
    options.signal.removeEventListener('abort', onAbort);
  }
}

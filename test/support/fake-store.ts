import type { KubeObject } from '../../src/apis/core.js';
import { ApiError } from '../../src/kube/api-error.js';
import type { DeleteOptions, WatchEvent } from '../../src/kube/client.js';
import { resourcePath, type ObjectRef, type ResourceType } from '../../src/kube/resource.js';
import type { Clock } from '../../src/lib/clock.js';
import { isObject, type Json } from './fake-patch.js';

/** A stored object; the store owns it and hands out copies. */
export type Stored = Json & { metadata: Json };

/** A change of the store, in the order of resource versions. */
export interface StoreEvent {
  readonly resourceVersion: number;
  readonly plural: string;
  readonly event: WatchEvent<Stored>;
}

type AnyType = ResourceType<KubeObject>;

/** Kinds whose status can only be written through the subresource (among the built-in ones). */
const STATUS_KINDS = new Set(['Pod', 'Node', 'Namespace', 'Service', 'PersistentVolume', 'PersistentVolumeClaim']);

function hasStatus(type: AnyType): boolean {
  return STATUS_KINDS.has(type.kind) || isCustom(type);
}

/** The core group has no name, and isn't in details. */
function groupOf({ apiVersion }: AnyType): { readonly group?: string } {
  const [group = '', version] = apiVersion.split('/');
  return version === undefined ? {} : { group };
}

function isCustom(type: AnyType): boolean {
  const [group = ''] = type.apiVersion.split('/');
  return group.includes('.') && !group.endsWith('.k8s.io');
}

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** What an API server does with the objects of one cluster, as far as unit tests of controllers can tell. */
export class FakeStore {
  readonly #objects = new Map<string, Stored>();
  readonly #clock: Pick<Clock, 'now'>;
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  /** Every change since the start. */
  readonly history: StoreEvent[] = [];
  #version = 0;
  #uids = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get resourceVersion(): number {
    return this.#version;
  }

  /** Calls back on each change until the returned function is called. */
  onChange(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  find(type: AnyType, ref: ObjectRef): Stored | undefined {
    return this.#objects.get(resourcePath(type, ref));
  }

  require(type: AnyType, ref: ObjectRef): Stored {
    const found = this.find(type, ref);
    if (found !== undefined) return found;
    throw new ApiError({
      code: 404,
      reason: 'NotFound',
      message: `${type.plural} "${ref.name}" not found`,
      details: { name: ref.name, ...groupOf(type), kind: type.plural },
    });
  }

  all(type: AnyType): Stored[] {
    return [...this.#objects.entries()]
      .filter(([, { apiVersion, kind }]) => apiVersion === type.apiVersion && kind === type.kind)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, object]) => object);
  }

  /** Adds an object. With `asIs`, the status and a given UID and creation time are kept. */
  insert(type: AnyType, object: unknown, asIs = false): Stored {
    const copy = structuredClone(object) as Partial<Stored>;
    const given = copy.metadata ?? {};
    const { generateName, namespace } = given as { generateName?: string; namespace?: string };
    const name =
      (given['name'] as string | undefined) ?? `${generateName ?? ''}${String(++this.#uids).padStart(5, '0')}`;
    if (this.find(type, { namespace, name }) !== undefined)
      throw new ApiError({ code: 409, reason: 'AlreadyExists', message: `${type.plural} "${name}" already exists` });
    if (!asIs && hasStatus(type) && type.kind !== 'Node') delete copy['status'];
    if (!asIs && type.kind === 'Pod') copy['status'] = { phase: 'Pending' };
    const fresh = { uid: `uid-${++this.#uids}`, creationTimestamp: timestamp(this.#clock.now()), generation: 1 };
    const metadata = asIs ? { ...fresh, ...given, name } : { ...given, ...fresh, name };
    const stored: Stored = { ...copy, apiVersion: type.apiVersion, kind: type.kind, metadata };
    this.#put(type, stored, 'ADDED');
    return stored;
  }

  /** Replaces an object by what an update or patch made of it; nothing changes when it is the same. */
  replace(type: AnyType, current: Stored, wanted: Json, subresource?: string): Stored {
    const next = this.#writable(type, current, structuredClone(wanted), subresource);
    if (same(next, current)) return current;
    const specChanged = !same(next['spec'], current['spec']);
    const generation = (Number(current.metadata['generation'] ?? 1) || 1) + (specChanged ? 1 : 0);
    next.metadata = { ...next.metadata, generation };
    const deleting = next.metadata['deletionTimestamp'] !== undefined;
    const pendingGrace = Number(next.metadata['deletionGracePeriodSeconds'] ?? 0) > 0;
    if (deleting && !pendingGrace && !hasFinalizers(next)) this.#drop(type, next);
    else this.#put(type, next, 'MODIFIED');
    return next;
  }

  remove(type: AnyType, ref: ObjectRef, options: DeleteOptions = {}): void {
    const current = this.require(type, ref);
    checkPreconditions(current, options);
    const grace = gracePeriod(type, current, options);
    const pending = current.metadata['deletionGracePeriodSeconds'] as number | undefined;
    if (grace === 0 && !hasFinalizers(current)) {
      this.#drop(type, current);
    } else if (pending === undefined || grace < pending) {
      const deletionTimestamp = timestamp(this.#clock.now() + grace * 1000);
      const metadata = { ...current.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
      this.#put(type, { ...current, metadata }, 'MODIFIED');
    }
  }

  /** Takes an object away without ceremony. */
  erase(type: AnyType, ref: ObjectRef): void {
    this.#drop(type, this.require(type, ref));
  }

  /** The part of `wanted` that this kind of write may change. */
  #writable(type: AnyType, current: Stored, wanted: Json, subresource?: string): Stored {
    const metadata: Json = { ...(isObject(wanted['metadata']) ? wanted['metadata'] : {}) };
    for (const key of ['uid', 'creationTimestamp', 'name', 'namespace', 'generation', 'resourceVersion'])
      if (key in current.metadata) metadata[key] = current.metadata[key];
    for (const key of ['deletionTimestamp', 'deletionGracePeriodSeconds'])
      if (key in current.metadata) metadata[key] = current.metadata[key];
      else Reflect.deleteProperty(metadata, key);
    const next: Stored = { ...wanted, apiVersion: type.apiVersion, kind: type.kind, metadata };
    if (subresource === 'status') {
      const kept = isCustom(type) ? current.metadata : metadata;
      return { ...current, metadata: kept, ...('status' in next ? { status: next['status'] } : {}) };
    }
    if (hasStatus(type)) {
      delete next['status'];
      if ('status' in current) next['status'] = current['status'];
    }
    return next;
  }

  #put(type: AnyType, object: Stored, event: 'ADDED' | 'MODIFIED'): void {
    object.metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    const { name, namespace } = object.metadata as { name: string; namespace?: string };
    this.#objects.set(resourcePath(type, { namespace, name }), object);
    this.#announce(type, { type: event, object });
  }

  #drop(type: AnyType, object: Stored): void {
    const { name, namespace } = object.metadata as { name: string; namespace?: string };
    this.#objects.delete(resourcePath(type, { namespace, name }));
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    this.#announce(type, { type: 'DELETED', object: { ...object, metadata } });
  }

  #announce(type: AnyType, event: WatchEvent<Stored>): void {
    const change = { resourceVersion: this.#version, plural: resourcePath(type, {}), event };
    this.history.push(change);
    for (const listener of [...this.#listeners]) listener(change);
  }
}

function hasFinalizers(object: Stored): boolean {
  const finalizers = object.metadata['finalizers'];
  return Array.isArray(finalizers) && finalizers.length > 0;
}

function checkPreconditions(current: Stored, { preconditions }: DeleteOptions): void {
  for (const key of ['uid', 'resourceVersion'] as const) {
    const wanted = preconditions?.[key];
    if (wanted !== undefined && wanted !== current.metadata[key])
      throw new ApiError({ code: 409, reason: 'Conflict', message: `${key} in the precondition does not match` });
  }
}

/** Only pods that are bound and not finished are deleted gracefully. */
function gracePeriod(type: AnyType, object: Stored, options: DeleteOptions): number {
  if (type.kind !== 'Pod') return 0;
  const spec = (object['spec'] ?? {}) as { nodeName?: string; terminationGracePeriodSeconds?: number };
  const phase = ((object['status'] ?? {}) as { phase?: string }).phase ?? '';
  if (spec.nodeName === undefined || phase === 'Succeeded' || phase === 'Failed') return 0;
  return options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
}

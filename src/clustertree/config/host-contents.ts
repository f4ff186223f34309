import { LRUCache } from 'lru-cache';
import { isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { splitKey, type ObjectKey } from '../../kube/resource.js';
import { isOlder, parseResourceVersion } from '../../kube/resource-version.js';
import { untilAborted } from '../../kube/shared-call.js';
import type { Content, CopiedKind } from './kinds.js';

/** What is kept for members that ask later; a ConfigMap or a Secret has at most 1 MiB. */
const MOST_OBJECTS = 1_000;
const MOST_CHARACTERS = 32 << 20;

/**
 * Whole ConfigMaps and Secrets of the host, read when some member needs them and once for all members. Metadata says
 * which version is the newest, so what is kept is never older than what the caller has heard of.
 */
export class HostContents {
  readonly #host: Pick<KubeClient, 'get'>;
  readonly #kept = new LRUCache<string, Content>({
    max: MOST_OBJECTS,
    maxSize: MOST_CHARACTERS,
    sizeCalculation: sizeOf,
  });
  readonly #reading = new Map<string, Promise<Content | undefined>>();

  constructor(host: Pick<KubeClient, 'get'>) {
    this.#host = host;
  }

  /**
   * The object, not older than `version`; without a version it is read in any case. Undefined when the host has none.
   * Those who ask for the same at the same time share one call, and may give up on their own.
   */
  async get(
    kind: CopiedKind,
    key: ObjectKey,
    version: string | undefined,
    signal: AbortSignal,
  ): Promise<Content | undefined> {
    const id = `${kind.word}/${key}`;
    const kept = this.#kept.get(id);
    if (kept !== undefined && version !== undefined && isFresh(kept, version)) return kept;
    const read = await untilAborted(this.#read(kind, key, id), signal);
    // Whoever began this read may have known less than we do.
    if (read === undefined || version === undefined || isFresh(read, version)) return read;
    return untilAborted(this.#read(kind, key, id), signal);
  }

  #read(kind: CopiedKind, key: ObjectKey, id: string): Promise<Content | undefined> {
    const running = this.#reading.get(id);
    if (running !== undefined) return running;
    const reading = this.#fetch(kind, key)
      .then((object) => this.#keep(id, object))
      .finally(() => this.#reading.delete(id));
    this.#reading.set(id, reading);
    return reading;
  }

  async #fetch(kind: CopiedKind, key: ObjectKey): Promise<Content | undefined> {
    try {
      return await this.#host.get(kind.type, splitKey(key));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #keep(id: string, object: Content | undefined): Content | undefined {
    if (object === undefined) this.#kept.delete(id);
    else this.#kept.set(id, object);
    return object;
  }
}

function isFresh(object: Content, version: string): boolean {
  return !isOlder(parseResourceVersion(object.metadata?.resourceVersion), parseResourceVersion(version));
}

function sizeOf({ data, binaryData }: Content): number {
  const values = [...Object.values(data ?? {}), ...Object.values(binaryData ?? {})];
  return values.reduce((size, value) => size + value.length, 1);
}

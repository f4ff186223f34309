import type { KubeObject } from '../../apis/core.js';
import { CLUSTER_LABEL, HOST_CLUSTER_LABEL } from '../../apis/names.js';
import { ApiError } from '../../kube/api-error.js';
import { errorMessage } from '../../lib/errors.js';
import type { ReconcileContext } from '../../runtime/controller.js';

/** Why something that is planned for a cluster can't be written, in words for its condition. */
export interface Obstacle {
  /** `NameConflict`: somebody else's object has the name. `WriteFailed`: the API server doesn't take it. */
  readonly reason: 'NameConflict' | 'WriteFailed';
  readonly message: string;
}

/** What keeps us from writing what a cluster needs, by the object that is to be written. */
export class Obstacles {
  readonly #found = new Map<string, Obstacle>();
  readonly #onChange: () => void;

  /** @param onChange - called when there is another one, or one less */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** In the order of the objects' names. */
  list(): readonly Obstacle[] {
    return [...this.#found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, obstacle]) => obstacle);
  }

  /** Runs what writes an object, and keeps what it found in its way, or why it failed, until the next time. */
  async follow<T>(
    object: string,
    { signal, attempt }: ReconcileContext,
    write: () => Promise<T>,
    inTheWay: (result: T) => Obstacle | undefined = () => undefined,
  ): Promise<T> {
    try {
      const result = await write();
      this.#set(object, inTheWay(result));
      return result;
    } catch (error) {
      const failure = signal.aborted ? undefined : writeFailure(object, error, attempt);
      if (failure !== undefined) this.#set(object, failure);
      throw error;
    }
  }

  /** For when nobody writes any more. */
  clear(): void {
    for (const object of [...this.#found.keys()]) this.#set(object, undefined);
  }

  #set(object: string, obstacle: Obstacle | undefined): void {
    const before = this.#found.get(object);
    if (before?.message === obstacle?.message) return;
    if (obstacle === undefined) this.#found.delete(object);
    else this.#found.set(object, obstacle);
    this.#onChange();
  }
}

/** An object of somebody else has the name of one of ours. */
export function nameConflict(object: string, { metadata }: KubeObject): Obstacle {
  const { labels } = metadata ?? {};
  const host = labels?.[HOST_CLUSTER_LABEL];
  const maker =
    host === undefined
      ? `it has no label ${HOST_CLUSTER_LABEL}`
      : `made by the host cluster ${host} for its Cluster ${labels?.[CLUSTER_LABEL] ?? 'without a name'}`;
  const message = `${object} in the cluster is somebody else's (${maker}); delete it there, or join under another name`;
  return { reason: 'NameConflict', message };
}

/** Tries after which a failure of the API server is one that lasts; with the controllers' back-off after some seconds. */
const LASTING_ATTEMPTS = 10;

/** A write that failed, unless it may well succeed the next time: then undefined. */
function writeFailure(object: string, error: unknown, attempt: number): Obstacle | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const isRefusal = error.statusCode >= 400 && error.statusCode < 500 && error.statusCode !== 429;
  if (!isRefusal && attempt < LASTING_ATTEMPTS) return undefined;
  return { reason: 'WriteFailed', message: `${object} can't be written: ${errorMessage(error)}` };
}

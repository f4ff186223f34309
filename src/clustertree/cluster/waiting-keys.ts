import type { ObjectKey } from '../../kube/resource.js';

/** Keys whose reconcile had to be put off because a cache could not be trusted. */
export class WaitingKeys {
  #keys = new Set<ObjectKey>();

  add(key: ObjectKey): void {
    this.#keys.add(key);
  }

  /** Those that were added since the last call. */
  take(): ReadonlySet<ObjectKey> {
    const keys = this.#keys;
    if (keys.size > 0) this.#keys = new Set();
    return keys;
  }
}

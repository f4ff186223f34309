import { errorMessage } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';

/**
 * What to call when the store changes; called synchronously, so keep it short (put the key into a work queue).
 * `initial` marks objects that were there when the informer, or this handler, began. An object that was deleted and
 * made again while the watch was away comes as an update: compare UIDs.
 */
export interface InformerHandler<U> {
  onAdd?(object: U, initial: boolean): void;
  onUpdate?(old: U, object: U): void;
  onDelete?(old: U): void;
}

interface Registration<U> {
  readonly handler: InformerHandler<U>;
  active: boolean;
}

/** One change of the store. */
export type Change<U> =
  | { readonly type: 'add'; readonly object: U; readonly initial: boolean }
  | { readonly type: 'update'; readonly old: U; readonly object: U }
  | { readonly type: 'delete'; readonly old: U };

/**
 * Tells handlers about changes, each handler in the order in which the changes happened, also when a handler causes
 * further ones. What a handler throws is logged and goes no further.
 */
export class Notifier<U> {
  readonly #logger: Logger;
  #registrations: readonly Registration<U>[] = [];
  #pending: { readonly change: Change<U>; readonly to: readonly Registration<U>[] }[] = [];
  #draining = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Adds a handler and tells it what is there already. The returned function removes it at once. */
  add(handler: InformerHandler<U>, present: readonly U[]): () => void {
    const registration: Registration<U> = { handler, active: true };
    this.#registrations = [...this.#registrations, registration];
    for (const object of present) this.#enqueue({ type: 'add', object, initial: true }, [registration]);
    this.#drain();
    return () => {
      registration.active = false;
      this.#registrations = this.#registrations.filter((other) => other !== registration);
    };
  }

  notify(change: Change<U>): void {
    if (this.#registrations.length === 0) return;
    this.#enqueue(change, this.#registrations);
    this.#drain();
  }

  #enqueue(change: Change<U>, to: readonly Registration<U>[]): void {
    this.#pending.push({ change, to });
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      for (const { change, to } of batch) for (const registration of to) this.#tell(registration, change);
    }
    this.#draining = false;
  }

  #tell({ handler, active }: Registration<U>, change: Change<U>): void {
    if (!active) return;
    try {
      if (change.type === 'add') handler.onAdd?.(change.object, change.initial);
      else if (change.type === 'update') handler.onUpdate?.(change.old, change.object);
      else handler.onDelete?.(change.old);
    } catch (error) {
      this.#logger.error('an informer handler failed', { change: change.type, error: errorMessage(error) });
    }
  }
}

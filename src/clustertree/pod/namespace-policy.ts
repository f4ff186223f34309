import type { Namespace } from '../../apis/core.js';
import { matchesLabels, type LabelSelector } from '../../lib/label-selector.js';

/** Which namespaces of the host may run pods in a member. */
export class NamespacePolicy {
  readonly #reserved: ReadonlySet<string>;
  readonly #selector: LabelSelector;

  /** `reserved` never take part; of the others, those that `selector` matches do. */
  constructor(reserved: Iterable<string>, selector: LabelSelector) {
    this.#reserved = new Set(reserved);
    this.#selector = selector;
  }

  allows(namespace: Namespace | undefined, name: string): boolean {
    if (this.#reserved.has(name) || namespace === undefined) return false;
    return matchesLabels(this.#selector, namespace.metadata?.labels ?? {});
  }
}

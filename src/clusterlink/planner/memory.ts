interface Kept {
  readonly fingerprint: string;
  readonly value: unknown;
}

interface Derived {
  readonly parts: readonly unknown[];
  readonly value: unknown;
}

/** Remembers one value in each slot, so that equal values are one object. A slot always has values of one type. */
export class Memory {
  private readonly kept = new Map<string, Kept>();
  private readonly derived = new Map<string, Derived>();

  /** The value that the slot had before if that had the same fingerprint. */
  keep<T>(slot: string, value: T, fingerprint: string): T {
    const before = this.kept.get(slot);
    if (before?.fingerprint === fingerprint) return before.value as T;
    this.kept.set(slot, { fingerprint, value });
    return value;
  }

  /** Computes the value unless it was computed from the very same parts the last time. */
  derive<T>(slot: string, parts: readonly unknown[], compute: () => T): T {
    const before = this.derived.get(slot);
    if (before !== undefined && samePartsAs(before.parts, parts)) return before.value as T;
    const value = compute();
    this.derived.set(slot, { parts, value });
    return value;
  }
}

/** True when both lists have the same objects, texts and numbers. */
export function samePartsAs(before: readonly unknown[] | undefined, parts: readonly unknown[]): boolean {
  return before?.length === parts.length && before.every((part, index) => Object.is(part, parts[index]));
}

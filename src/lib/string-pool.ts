/** Longer strings are hardly ever equal, and cost more to compare than they save. */
const LONGEST = 128;
const DEFAULT_SIZE = 4_096;

/**
 * Keeps one copy of strings that come up again and again in decoded JSON: names of keys, images, times, addresses.
 * A decoder makes a new string for each; shared, ten thousand pods take half of the memory.
 *
 * Two generations bound it: what is not asked for while as many others as the size come by is forgotten.
 */
export class StringPool {
  readonly #size: number;
  #young = new Map<string, string>();
  #old: ReadonlyMap<string, string> = new Map();

  constructor(size: number = DEFAULT_SIZE) {
    this.#size = size;
  }

  /** How many strings it keeps; some may be counted twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** An equal string: the one that was given first. */
  share(text: string): string {
    if (text.length > LONGEST) return text;
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const shared = this.#old.get(text) ?? text;
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(shared, shared);
    return shared;
  }

  /**
   * Replaces all string values inside by shared ones, in place, and returns the same object. It is for what was just
   * decoded and belongs to nobody else; what is frozen stays as it is.
   */
  shareWithin<T extends object>(value: T): T {
    if (Object.isFrozen(value)) return value;
    const members = value as Record<string, unknown>;
    for (const key of Object.keys(members)) {
      const member = members[key];
      if (typeof member === 'string') members[key] = this.share(member);
      else if (typeof member === 'object' && member !== null) this.shareWithin(member);
    }
    return value;
  }
}

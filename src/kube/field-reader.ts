/** Collects what is wrong with a document, so that all of it can be reported at once. Problems never quote values. */
export class Problems {
  readonly list: string[] = [];

  add(path: string, problem: string): void {
    this.list.push(`${path}: ${problem}`);
  }
}

/** Reads fields of a parsed document whose shape is not known, and notes what has the wrong type. */
export class FieldReader {
  readonly path: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #problems: Problems;

  private constructor(values: Readonly<Record<string, unknown>>, path: string, problems: Problems) {
    this.#values = values;
    this.path = path;
    this.#problems = problems;
  }

  /** Undefined, with a problem noted, when the value is no mapping. */
  static of(value: unknown, path: string, problems: Problems): FieldReader | undefined {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return new FieldReader(value as Record<string, unknown>, path, problems);
    }
    problems.add(path || 'document', 'must be a mapping');
    return undefined;
  }

  has(name: string): boolean {
    const value = this.#values[name];
    return value !== undefined && value !== null && value !== '';
  }

  problem(name: string, text: string): void {
    this.#problems.add(this.#at(name), text);
  }

  string(name: string): string | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#values[name];
    if (typeof value === 'string') return value;
    this.problem(name, 'must be a string');
    return undefined;
  }

  required(name: string): string | undefined {
    if (!this.has(name)) this.problem(name, 'is missing');
    return this.string(name);
  }

  boolean(name: string): boolean {
    if (!this.has(name)) return false;
    const value = this.#values[name];
    if (typeof value === 'boolean') return value;
    this.problem(name, 'must be true or false');
    return false;
  }

  object(name: string): FieldReader | undefined {
    return this.has(name) ? FieldReader.of(this.#values[name], this.#at(name), this.#problems) : undefined;
  }

  list(name: string): readonly unknown[] {
    if (!this.has(name)) return [];
    const value = this.#values[name];
    if (Array.isArray(value)) return value;
    this.problem(name, 'must be a list');
    return [];
  }

  strings(name: string): readonly string[] {
    const values = this.list(name);
    if (values.every((value) => typeof value === 'string')) return values;
    this.problem(name, 'must be a list of strings');
    return [];
  }

  objects(name: string): readonly FieldReader[] {
    return this.list(name).flatMap(
      (value, i) => FieldReader.of(value, `${this.#at(name)}[${i}]`, this.#problems) ?? [],
    );
  }

  /** All fields as they are. */
  raw(): Readonly<Record<string, unknown>> {
    return this.#values;
  }

  #at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}

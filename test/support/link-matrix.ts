/** Collects what was tried, and shows it as a table: one line for each way, one column for each kind of traffic. */
export class LinkMatrix {
  readonly #rows = new Map<string, Map<string, string>>();

  note(way: string, kind: string, result: string): void {
    const row = this.#rows.get(way) ?? new Map<string, string>();
    this.#rows.set(way, row.set(kind, result));
  }

  render(): string {
    const kinds = [...new Set([...this.#rows.values()].flatMap((row) => [...row.keys()]))];
    const lines = [...this.#rows].map(([way, row]) => [way, ...kinds.map((kind) => row.get(kind) ?? '-')]);
    const table = [['way', ...kinds], ...lines];
    const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
    return table.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
  }
}

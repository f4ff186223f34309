/** An item of a list of a NodeConfig, with the text that it is ordered by. */
export interface Keyed<Item> {
  readonly key: string;
  readonly item: Item;
}

export function keyed<Item>(item: Item): Keyed<Item> {
  return { key: JSON.stringify(item), item };
}

/** The order of every list in a NodeConfig: descending by the JSON of the items, as Kosmos has it. */
export function descending<Item>(items: readonly Keyed<Item>[]): readonly Keyed<Item>[] {
  return [...items].sort((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0));
}

/** {@link descending}, without items that are there twice. */
export function ordered<Item>(items: readonly Item[]): readonly Item[] {
  return withoutRepetition(descending(items.map(keyed))).map(({ item }) => item);
}

/** Merges two lists in {@link descending} order into one. */
export function mergeDescending<Item>(
  left: readonly Keyed<Item>[],
  right: readonly Keyed<Item>[],
): readonly Keyed<Item>[] {
  if (right.length === 0) return left;
  const merged: Keyed<Item>[] = [];
  let next = 0;
  for (const entry of left) {
    for (let other = right[next]; other !== undefined && other.key > entry.key; other = right[next]) {
      merged.push(other);
      next += 1;
    }
    merged.push(entry);
  }
  merged.push(...right.slice(next));
  return merged;
}

function withoutRepetition<Item>(items: readonly Keyed<Item>[]): readonly Keyed<Item>[] {
  return items.filter(({ key }, index) => key !== items[index - 1]?.key);
}

export type StringMap = Readonly<Record<string, string>>;

/** Part of a JSON merge patch: values to set and, as null, keys to remove. */
export type MapPatch = Readonly<Record<string, string | null>>;

/**
 * The patch that gives `actual` all entries of `desired` and takes away those of `removable` keys that aren't desired;
 * other keys stay. Undefined when there is nothing to do.
 */
export function diffMap(
  actual: StringMap = {},
  desired: StringMap = {},
  removable: readonly string[] = Object.keys(actual),
): MapPatch | undefined {
  const changed = Object.entries(desired).filter(([key, value]) => actual[key] !== value);
  const gone = removable.filter((key) => !Object.hasOwn(desired, key) && Object.hasOwn(actual, key));
  if (changed.length === 0 && gone.length === 0) return undefined;
  return { ...Object.fromEntries(changed), ...Object.fromEntries(gone.map((key) => [key, null])) };
}

/** An object type without the possibility that a key is there with the value undefined. */
export type Defined<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> };

/** The object without the keys whose value is undefined; undefined itself when none is left. */
export function definedOnly<T extends object>(object: T): Defined<T> | undefined {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Defined<T>);
}

type JsonObject = Readonly<Record<string, unknown>>;

/** True when both would be the same JSON to an API server: `undefined` and `null` members count as absent. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (isAbsent(left) || isAbsent(right)) return isAbsent(left) && isAbsent(right);
  if (Array.isArray(left) || Array.isArray(right)) {
    return Array.isArray(left) && Array.isArray(right) && sameArray(left, right);
  }
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  return sameObject(left as JsonObject, right as JsonObject);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function sameArray(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((item, index) => sameJson(item, right[index]));
}

function sameObject(left: JsonObject, right: JsonObject): boolean {
  return (
    Object.keys(left).every((key) => sameJson(left[key], right[key])) &&
    Object.keys(right).every((key) => Object.hasOwn(left, key) || isAbsent(right[key]))
  );
}

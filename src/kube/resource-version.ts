/**
 * A resource version in a form that is cheap to keep and to compare: a number when it is one that JavaScript holds
 * exactly, the string itself otherwise.
 */
export type ResourceVersion = number | string;

const DECIMAL = /^(?:0|[1-9]\d*)$/;

/** Undefined for an object without one. */
export function parseResourceVersion(text: string | undefined): ResourceVersion | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  return DECIMAL.test(text) && Number.isSafeInteger(value) ? value : text;
}

/**
 * Negative when `a` is older than `b`, 0 when equal. Undefined when one of them is no decimal number: then nothing is
 * known (KEP-5504 makes versions of one resource type comparable as integers of any length).
 */
export function compareResourceVersions(a: ResourceVersion, b: ResourceVersion): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  if (left === right) return 0;
  if (!DECIMAL.test(left) || !DECIMAL.test(right)) return undefined;
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : 1;
}

/** True only when both are known and `a` is certainly older. */
export function isOlder(a: ResourceVersion | undefined, b: ResourceVersion | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const order = compareResourceVersions(a, b);
  return order !== undefined && order < 0;
}

/** True only when both are known and `a` is certainly not newer. */
export function isNotNewer(a: ResourceVersion | undefined, b: ResourceVersion | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const order = compareResourceVersions(a, b);
  return order !== undefined && order <= 0;
}

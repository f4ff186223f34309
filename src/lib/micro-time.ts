/** A MicroTime of meta/v1: RFC 3339 with six digits of a second. */
export function microTime(millisecondsSinceEpoch: number): string {
  return new Date(millisecondsSinceEpoch).toISOString().replace(/Z$/, '000Z');
}

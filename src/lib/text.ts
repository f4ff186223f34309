/** The text, or its beginning and an ellipsis, in at most `maxBytes` bytes of UTF-8. Never cuts a character in two. */
export function truncateUtf8(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const ellipsis = '\u2026';
  const room = maxBytes - Buffer.byteLength(ellipsis);
  if (room < 0) return '';
  const { written } = new TextEncoder().encodeInto(text, new Uint8Array(room));
  return Buffer.from(text).subarray(0, written).toString() + ellipsis;
}

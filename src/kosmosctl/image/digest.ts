import { createHash } from 'node:crypto';

/** `sha256:` and the hex digest of a content. */
export function digestOf(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

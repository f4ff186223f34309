const NEWLINE = 0x0a;

/** A line longer than this is no Kubernetes object (etcd takes 1.5 MB by default); memory must not grow for ever. */
const LONGEST_LINE_BYTES = 64 * 1024 * 1024;

/** Cuts bytes into lines. Works on bytes, since a chunk may end in the middle of a UTF-8 sequence. */
export class LineSplitter {
  #buffer: Buffer | undefined;
  #offset = 0;
  /** Starts of a line whose end has not come yet; joined once, so that a long line is not copied with each chunk. */
  #parts: Buffer[] = [];
  #partBytes = 0;

  /** Adds bytes; call only when `next` has returned undefined. */
  push(chunk: Buffer): void {
    this.#buffer = chunk;
    this.#offset = 0;
  }

  /** The next line without its end, as text; undefined when more bytes are needed. Throws when a line is endless. */
  next(): string | undefined {
    const buffer = this.#buffer;
    if (!buffer) return undefined;
    const end = buffer.indexOf(NEWLINE, this.#offset);
    if (end < 0) {
      this.#keep(buffer.subarray(this.#offset));
      this.#buffer = undefined;
      return undefined;
    }
    const start = this.#offset;
    this.#offset = end + 1;
    if (this.#parts.length === 0) return buffer.toString('utf8', start, end);
    const line = Buffer.concat([...this.#parts, buffer.subarray(start, end)]).toString('utf8');
    this.#parts = [];
    this.#partBytes = 0;
    return line;
  }

  /** Bytes of a line that has begun and not ended; valid when `next` has returned undefined. */
  get unfinishedBytes(): number {
    return this.#partBytes;
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#partBytes += part.length;
    if (this.#partBytes > LONGEST_LINE_BYTES) throw new Error(`a line is longer than ${LONGEST_LINE_BYTES} bytes`);
  }
}

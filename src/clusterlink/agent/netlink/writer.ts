import { FLAG } from './constants.js';

const HEAD_BYTES = 16;
const ATTRIBUTE_HEAD_BYTES = 4;
const FIRST_CAPACITY = 4096;

/** The head of a request. */
export interface RequestHead {
  readonly type: number;
  /** Beside REQUEST. */
  readonly flags: number;
  readonly sequence: number;
}

/** Netlink aligns messages and attributes to four bytes. */
export function aligned(length: number): number {
  return (length + 3) & ~3;
}

/**
 * Writes netlink messages one behind the other into a buffer that grows, in the byte order of this machine, which is
 * little-endian on every platform that Node is built for and the agent supports.
 */
export class MessageWriter {
  #buffer = Buffer.alloc(FIRST_CAPACITY);
  #length = 0;

  /** What was written since the last reset; valid until the next write. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  reset(): void {
    // What is reserved has to be zero.
    this.#buffer.fill(0, 0, this.#length);
    this.#length = 0;
  }

  /** One message; `fill` writes what follows the head. */
  message({ type, flags, sequence }: RequestHead, fill: () => void): void {
    const start = this.#length;
    this.#reserve(HEAD_BYTES);
    this.#buffer.writeUInt16LE(type, start + 4);
    this.#buffer.writeUInt16LE(flags | FLAG.REQUEST, start + 6);
    this.#buffer.writeUInt32LE(sequence, start + 8);
    fill();
    this.#buffer.writeUInt32LE(this.#length - start, start);
    this.#pad();
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#buffer[at] = value;
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer.writeUInt16LE(value, at);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#buffer.writeUInt32LE(value, at);
  }

  /** An attribute with nothing in it. */
  flagAttribute(type: number): void {
    this.#attributeHead(type, 0);
  }

  u8Attribute(type: number, value: number): void {
    this.#attributeHead(type, 1);
    this.u8(value);
    this.#pad();
  }

  /** A number in network byte order, as ports are. */
  u16NetworkAttribute(type: number, value: number): void {
    this.#attributeHead(type, 2);
    const at = this.#reserve(2);
    this.#buffer.writeUInt16BE(value, at);
    this.#pad();
  }

  u32Attribute(type: number, value: number): void {
    this.#attributeHead(type, 4);
    this.u32(value);
  }

  bytesAttribute(type: number, value: Uint8Array): void {
    this.#attributeHead(type, value.length);
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
    this.#pad();
  }

  /** A text that ends in a zero byte. */
  textAttribute(type: number, value: string): void {
    this.bytesAttribute(type, Buffer.from(`${value}\0`, 'utf8'));
  }

  /** A text without a zero byte at its end, as `ip` writes kinds of devices. */
  bareTextAttribute(type: number, value: string): void {
    this.bytesAttribute(type, Buffer.from(value, 'utf8'));
  }

  /** An attribute that holds those which `fill` writes. */
  nestedAttribute(type: number, fill: () => void): void {
    const start = this.#attributeHead(type, 0);
    fill();
    this.#buffer.writeUInt16LE(this.#length - start, start);
  }

  /** Sets flags in the head of the message that starts at `offset`. */
  setFlags(offset: number, flags: number): void {
    this.#buffer.writeUInt16LE(this.#buffer.readUInt16LE(offset + 6) | flags, offset + 6);
  }

  /** Takes flags out of the head of the message that starts at `offset`. */
  clearFlags(offset: number, flags: number): void {
    this.#buffer.writeUInt16LE(this.#buffer.readUInt16LE(offset + 6) & ~flags, offset + 6);
  }

  #attributeHead(type: number, payloadBytes: number): number {
    const at = this.#reserve(ATTRIBUTE_HEAD_BYTES);
    this.#buffer.writeUInt16LE(ATTRIBUTE_HEAD_BYTES + payloadBytes, at);
    this.#buffer.writeUInt16LE(type, at + 2);
    return at;
  }

  #pad(): void {
    this.#reserve(aligned(this.#length) - this.#length);
  }

  /** Makes room for zero bytes at the end; returns where they begin. */
  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(this.#length, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return at;
  }
}

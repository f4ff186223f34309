import { KernelError } from './kernel-error.js';
import { aligned } from './writer.js';

const HEAD_BYTES = 16;
const ATTRIBUTE_HEAD_BYTES = 4;
/** Bits of an attribute's type that say how its content is encoded (NLA_F_NESTED, NLA_F_NET_BYTEORDER). */
const TYPE_MASK = 0x3fff;

/** One message as the kernel sent it. `body` is what follows the head; it is a view of the buffer that was read. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

/** The messages in what one read returned. Throws KernelError when they aren't whole. */
export function* readMessages(buffer: Buffer): Generator<NetlinkMessage> {
  let offset = 0;
  while (offset < buffer.length) {
    if (buffer.length - offset < HEAD_BYTES) throw malformed('the head of a message is cut off');
    const length = buffer.readUInt32LE(offset);
    if (length < HEAD_BYTES || length > buffer.length - offset) throw malformed('a message is cut off');
    yield {
      type: buffer.readUInt16LE(offset + 4),
      flags: buffer.readUInt16LE(offset + 6),
      sequence: buffer.readUInt32LE(offset + 8),
      body: buffer.subarray(offset + HEAD_BYTES, offset + length),
    };
    offset += aligned(length);
  }
}

/** The attributes from `offset` on, by type; of several with one type the last. Throws KernelError on nonsense. */
export function readAttributes(buffer: Buffer, offset: number): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  let at = offset;
  while (at + ATTRIBUTE_HEAD_BYTES <= buffer.length) {
    const length = buffer.readUInt16LE(at);
    if (length < ATTRIBUTE_HEAD_BYTES || at + length > buffer.length) throw malformed('an attribute is cut off');
    const type = buffer.readUInt16LE(at + 2) & TYPE_MASK;
    attributes.set(type, buffer.subarray(at + ATTRIBUTE_HEAD_BYTES, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** Fails unless the fixed part of a body, which comes before its attributes, is there. */
export function expectBytes(body: Buffer, count: number): void {
  if (body.length < count) throw malformed('the fixed part of a message is cut off');
}

/** The number in an attribute of four bytes; undefined when it is missing. */
export function readU32(attribute: Buffer | undefined): number | undefined {
  if (attribute === undefined) return undefined;
  expectBytes(attribute, 4);
  return attribute.readUInt32LE(0);
}

/** The text in an attribute, without the zero byte at its end; undefined when it is missing. */
export function readText(attribute: Buffer | undefined): string | undefined {
  if (attribute === undefined) return undefined;
  const end = attribute.indexOf(0);
  return attribute.toString('utf8', 0, end < 0 ? attribute.length : end);
}

function malformed(what: string): KernelError {
  return new KernelError(`the kernel's answer can't be read: ${what}`);
}

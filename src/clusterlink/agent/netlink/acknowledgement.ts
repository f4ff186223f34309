import { ACK_ATTRIBUTE, FLAG } from './constants.js';
import { expectBytes, type NetlinkMessage, readAttributes, readText } from './reader.js';
import { aligned } from './writer.js';

/** What the kernel says of one request. */
export interface Acknowledgement {
  readonly sequence: number;
  /** 0 when it was done, else the error's number, positive. */
  readonly errno: number;
  /** The kernel's own words about the error (extended acknowledgement); empty when it has none. */
  readonly text: string;
}

const ERRNO_BYTES = 4;
const HEAD_BYTES = 16;

/** Reads a message of the type ERROR, which also says that all is well. */
export function decodeAcknowledgement({ body, flags, sequence }: NetlinkMessage): Acknowledgement {
  expectBytes(body, ERRNO_BYTES + HEAD_BYTES);
  const errno = -body.readInt32LE(0);
  if ((flags & FLAG.ACK_ATTRIBUTES) === 0) return { sequence, errno, text: '' };
  // The request follows, of which the kernel was told to repeat the head only; when it didn't, the attributes are behind.
  const repeated = (flags & FLAG.ACK_CAPPED) !== 0 ? HEAD_BYTES : aligned(body.readUInt32LE(ERRNO_BYTES));
  const attributes = readAttributes(body, ERRNO_BYTES + repeated);
  return { sequence, errno, text: readText(attributes.get(ACK_ATTRIBUTE.MESSAGE)) ?? '' };
}

/** The error in a message of the type DONE, which ends a dump; undefined when there is none. */
export function decodeDone({ body, flags, sequence }: NetlinkMessage): Acknowledgement | undefined {
  const errno = body.length >= ERRNO_BYTES ? -body.readInt32LE(0) : 0;
  if (errno <= 0) return undefined;
  const attributes = (flags & FLAG.ACK_ATTRIBUTES) === 0 ? undefined : readAttributes(body, ERRNO_BYTES);
  return { sequence, errno, text: readText(attributes?.get(ACK_ATTRIBUTE.MESSAGE)) ?? '' };
}

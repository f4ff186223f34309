import { readMessages, type NetlinkMessage } from '../../../../../src/clusterlink/agent/netlink/reader.js';
import { MessageWriter } from '../../../../../src/clusterlink/agent/netlink/writer.js';
import type { EncodeRequest } from '../../../../../src/clusterlink/agent/netlink/socket.js';

/** Offset of the sequence number in a message. */
const SEQUENCE_OFFSET = 8;

/** The messages of a capture. */
export function captured(hex: string): NetlinkMessage[] {
  return [...readMessages(Buffer.from(hex, 'hex'))];
}

/** What an encoder writes when it is given the sequence number of a captured message, as hexadecimal text. */
export function encodedLike(hex: string, encode: EncodeRequest): string {
  const writer = new MessageWriter();
  encode(writer, Buffer.from(hex, 'hex').readUInt32LE(SEQUENCE_OFFSET));
  return writer.bytes.toString('hex');
}

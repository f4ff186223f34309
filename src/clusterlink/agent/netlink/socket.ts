import { decodeAcknowledgement, decodeDone, type Acknowledgement } from './acknowledgement.js';
import { CONTROL, FLAG, SOCKET_OPTION, SOL_NETLINK } from './constants.js';
import { KernelError } from './kernel-error.js';
import type { Libc } from './libc.js';
import { type NetlinkMessage, readMessages } from './reader.js';
import { MessageWriter } from './writer.js';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const MSG_DONTWAIT = 0x40;
const SOCKADDR_BYTES = 12;
/** Change notices come in bursts; a full buffer costs a whole new dump. */
const RECEIVE_BUFFER_BYTES = 8 << 20;
/** The kernel answers dumps with at most 32 KiB at a time. */
const READ_BYTES = 64 << 10;
/** Messages in one call: enough that calls cost little, few enough that the event loop isn't held up. */
export const BATCH_SIZE = 256;
const DUMP_ATTEMPTS = 10;

/** Writes one request with the sequence number that it is given. */
export type EncodeRequest = (writer: MessageWriter, sequence: number) => void;

/**
 * A netlink socket. The kernel works on a request while it is sent and has answered when `send` returns, so nothing
 * ever waits; a batch of requests is one call.
 */
export class NetlinkSocket {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #writer = new MessageWriter();
  readonly #readBuffer = Buffer.alloc(READ_BYTES);
  #sequence = 0;

  /** Opens a socket; `groups` are those whose notices it gets. Throws KernelError. */
  constructor(libc: Libc, protocol: number, groups = 0) {
    this.#libc = libc;
    this.#fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (this.#fd < 0) throw this.#failure('a netlink socket can not be opened');
    for (const option of [SOCKET_OPTION.CAP_ACK, SOCKET_OPTION.EXT_ACK, SOCKET_OPTION.STRICT_CHECK]) {
      this.#setOption(SOL_NETLINK, option, 1);
    }
    // The first needs a right that agents have, and isn't bound by a limit; the second is always allowed.
    if (!this.#setOption(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)) {
      this.#setOption(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    }
    const address = Buffer.alloc(SOCKADDR_BYTES);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(groups, 8);
    if (libc.bind(this.#fd, address, SOCKADDR_BYTES) < 0) {
      const failure = this.#failure('a netlink socket can not be bound');
      this.close();
      throw failure;
    }
  }

  /**
   * Sends all requests, at most {@link BATCH_SIZE}, in one call. Returns those that the kernel refused, by their index.
   * Only the last one asks for an answer; errors are reported of every one.
   */
  send(requests: readonly EncodeRequest[]): ReadonlyMap<number, KernelError> {
    const refused = new Map<number, KernelError>();
    if (requests.length === 0) return refused;
    const writer = this.#writer;
    writer.reset();
    const first = this.#sequence + 1;
    for (const [index, encode] of requests.entries()) {
      const offset = writer.length;
      encode(writer, first + index);
      if (index < requests.length - 1) writer.clearFlags(offset, FLAG.ACK);
    }
    this.#sequence += requests.length;
    this.#write();
    for (const answer of this.#acknowledgements()) {
      const index = answer.sequence - first;
      // An answer to something that was given up earlier is of no interest.
      if (index < 0) continue;
      if (answer.errno !== 0) refused.set(index, this.#refusal(answer));
      if (index === requests.length - 1) return refused;
    }
    throw new KernelError('the kernel did not answer a request');
  }

  /**
   * Asks for objects and calls `take` with each. Starts over when they changed meanwhile: `begin` is then called again.
   * Throws KernelError.
   */
  dump(encode: EncodeRequest, begin: () => void, take: (message: NetlinkMessage) => void): void {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      begin();
      this.#sequence++;
      this.#writer.reset();
      encode(this.#writer, this.#sequence);
      this.#write();
      if (this.#readDump(take)) return;
    }
    throw new KernelError('the kernel changes faster than it can be read');
  }

  /** What came without being asked for; undefined when nothing did. Throws KernelError, with ENOBUFS when some was lost. */
  poll(): Buffer | undefined {
    return this.#read();
  }

  close(): void {
    this.#libc.close(this.#fd);
  }

  /** Whether the answer was consistent. */
  #readDump(take: (message: NetlinkMessage) => void): boolean {
    let consistent = true;
    for (let chunk = this.#read(); chunk !== undefined; chunk = this.#read()) {
      for (const message of readMessages(chunk)) {
        if (message.sequence !== this.#sequence) continue;
        if ((message.flags & FLAG.DUMP_INTERRUPTED) !== 0) consistent = false;
        const failed = this.#endOfDump(message);
        if (failed !== undefined) throw this.#refusal(failed);
        if (message.type === CONTROL.DONE) return consistent;
        if (consistent) take(message);
      }
    }
    throw new KernelError('the kernel did not answer a request');
  }

  #endOfDump(message: NetlinkMessage): Acknowledgement | undefined {
    if (message.type === CONTROL.ERROR) return decodeAcknowledgement(message);
    return message.type === CONTROL.DONE ? decodeDone(message) : undefined;
  }

  *#acknowledgements(): Generator<Acknowledgement> {
    for (let chunk = this.#read(); chunk !== undefined; chunk = this.#read()) {
      for (const message of readMessages(chunk)) {
        if (message.type === CONTROL.ERROR) yield decodeAcknowledgement(message);
      }
    }
  }

  #write(): void {
    const { bytes } = this.#writer;
    if (this.#libc.send(this.#fd, bytes, bytes.length, 0) < 0)
      throw this.#failure('a request can not be sent to the kernel');
  }

  /** Undefined when there is nothing to read. The result is valid until the next read. */
  #read(): Buffer | undefined {
    const count = this.#libc.recv(this.#fd, this.#readBuffer, READ_BYTES, MSG_DONTWAIT);
    if (count >= 0) return this.#readBuffer.subarray(0, count);
    const failure = this.#failure("the kernel's answer can not be read");
    if (failure.errnoName === 'EAGAIN') return undefined;
    throw failure;
  }

  #setOption(level: number, option: number, value: number): boolean {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return this.#libc.setsockopt(this.#fd, level, option, bytes, bytes.length) === 0;
  }

  #failure(what: string): KernelError {
    const errno = this.#libc.errno();
    const errnoName = this.#libc.errnoName(errno);
    return new KernelError(`${what}: ${errnoName}`, { errno, errnoName });
  }

  #refusal({ errno, text }: Acknowledgement): KernelError {
    const errnoName = this.#libc.errnoName(errno);
    return new KernelError(text === '' ? errnoName : `${errnoName}: ${text}`, { errno, errnoName });
  }
}

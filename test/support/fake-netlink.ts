import { CONTROL, FLAG } from '../../src/clusterlink/agent/netlink/constants.js';
import type { Libc } from '../../src/clusterlink/agent/netlink/libc.js';
import { type NetlinkMessage, readMessages } from '../../src/clusterlink/agent/netlink/reader.js';
import { MessageWriter } from '../../src/clusterlink/agent/netlink/writer.js';

const ERRNO: Readonly<Record<string, number>> = {
  ...{ EPERM: 1, ENOENT: 2, ESRCH: 3, EINTR: 4, EBADF: 9, EAGAIN: 11, EEXIST: 17, ENODEV: 19, EINVAL: 22, EMFILE: 24 },
  ...{ EAFNOSUPPORT: 97, EADDRNOTAVAIL: 99, ENOBUFS: 105 },
};
const HEAD_BYTES = 16;

/** The kernel's answers to what one `send` asked. */
export type Answer = (requests: readonly NetlinkMessage[]) => readonly Buffer[];

/** A C library whose netlink sockets lead to a script. */
export class FakeLibc implements Libc {
  /** What each `send` held. */
  readonly sent: NetlinkMessage[][] = [];
  /** `level option` of every option that was set. */
  readonly options: string[] = [];
  readonly opened: number[] = [];
  readonly closed: number[] = [];
  /** Protocol and groups by descriptor. */
  readonly bound = new Map<number, { readonly protocol: number; readonly groups: number }>();
  answer: Answer = (requests) => requests.map(({ sequence }) => acknowledge(sequence));
  /** Errors by the name of a function; each is for the next call only. */
  readonly failures: Partial<Record<'socket' | 'bind' | 'send' | 'recv' | 'setsockopt', string[]>> = {};
  readonly #queues = new Map<number, (Buffer | string)[]>();
  readonly #protocols = new Map<number, number>();
  #errno = 0;
  #next = 30;

  socket(_domain: number, _type: number, protocol: number): number {
    if (this.#fails('socket')) return -1;
    const fd = this.#next++;
    this.opened.push(fd);
    this.#protocols.set(fd, protocol);
    this.#queues.set(fd, []);
    return fd;
  }

  bind(fd: number, address: Uint8Array): number {
    if (this.#fails('bind')) return -1;
    const groups = Buffer.from(address).readUInt32LE(8);
    this.bound.set(fd, { protocol: this.#protocols.get(fd) ?? -1, groups });
    return 0;
  }

  setsockopt(_fd: number, level: number, option: number): number {
    if (this.#fails('setsockopt')) return -1;
    this.options.push(`${level} ${option}`);
    return 0;
  }

  send(fd: number, buffer: Uint8Array, length: number): number {
    if (this.#fails('send')) return -1;
    // The writer uses its buffer again.
    const requests = [...readMessages(Buffer.from(buffer.subarray(0, length)))];
    this.sent.push(requests);
    this.#queue(fd).push(...this.answer(requests));
    return length;
  }

  recv(fd: number, buffer: Uint8Array): number {
    if (this.#fails('recv')) return -1;
    const next = this.#queue(fd).shift() ?? 'EAGAIN';
    if (typeof next === 'string') {
      this.#errno = ERRNO[next] ?? -1;
      return -1;
    }
    buffer.set(next);
    return next.length;
  }

  close(fd: number): number {
    this.closed.push(fd);
    return 0;
  }

  errno(): number {
    return this.#errno;
  }

  errnoName(errno: number): string {
    return Object.entries(ERRNO).find(([, number]) => number === errno)?.[0] ?? '';
  }

  /** What the next reads of the socket of a protocol give: bytes, or an error. */
  notify(protocol: number, ...chunks: readonly (Buffer | string)[]): void {
    for (const [fd, of] of this.#protocols) if (of === protocol) this.#queue(fd).push(...chunks);
  }

  #queue(fd: number): (Buffer | string)[] {
    const queue = this.#queues.get(fd);
    if (queue === undefined) throw new Error(`no socket ${fd}`);
    return queue;
  }

  #fails(call: keyof FakeLibc['failures']): boolean {
    const name = this.failures[call]?.shift();
    if (name === undefined) return false;
    this.#errno = ERRNO[name] ?? -1;
    return true;
  }
}

/** A message as the kernel sends it. */
export function netlinkMessage(type: number, sequence: number, flags: number, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc((HEAD_BYTES + body.length + 3) & ~3);
  bytes.writeUInt32LE(HEAD_BYTES + body.length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags, 6);
  bytes.writeUInt32LE(sequence, 8);
  bytes.set(body, HEAD_BYTES);
  return bytes;
}

/** A body, or a part of one, that a writer writes. */
export function written(fill: (writer: MessageWriter) => void): Buffer {
  const writer = new MessageWriter();
  fill(writer);
  return Buffer.from(writer.bytes);
}

/** An acknowledgement: all is well without an error, else with the kernel's words about it. */
export function acknowledge(sequence: number, error?: string, text?: string): Buffer {
  const body = Buffer.alloc(20);
  body.writeInt32LE(error === undefined ? 0 : -(ERRNO[error] ?? 0), 0);
  body.writeUInt32LE(HEAD_BYTES, 4);
  if (text === undefined) return netlinkMessage(CONTROL.ERROR, sequence, FLAG.ACK_CAPPED, body);
  const words = written((writer) => writer.textAttribute(1, text));
  const flags = FLAG.ACK_CAPPED | FLAG.ACK_ATTRIBUTES;
  return netlinkMessage(CONTROL.ERROR, sequence, flags, Buffer.concat([body, words]));
}

/** The end of a dump. */
export function endOfDump(sequence: number, error?: string, flags = 0): Buffer {
  const body = Buffer.alloc(4);
  body.writeInt32LE(error === undefined ? 0 : -(ERRNO[error] ?? 0));
  return netlinkMessage(CONTROL.DONE, sequence, flags, body);
}

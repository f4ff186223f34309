import type { Clock } from '../../lib/clock.js';
import { type Family, familyNumber, familyOf } from '../agent/netlink/family.js';
import { KernelError } from '../agent/netlink/kernel-error.js';
import type { SocketLibc } from '../agent/netlink/libc.js';
import { PROBE_ERRORS } from './plan.js';
import { socketAddress } from './wire.js';

const [SOCK_DGRAM, SOCK_RAW, SOCK_CLOEXEC] = [2, 3, 0o2000000];
const MSG_DONTWAIT = 0x40;
const ICMP: Readonly<Record<Family, number>> = { ipv4: 1, ipv6: 58 };
/** Level and number of `IP_MTU_DISCOVER` and `IPV6_MTU_DISCOVER`. */
const MTU_DISCOVER: Readonly<Record<Family, readonly [level: number, option: number]>> = {
  ipv4: [0, 10],
  ipv6: [41, 23],
};
/** Packets are never taken apart, and what is known of the path's MTU counts. */
const PMTUDISC_DO = 2;
const POLL_MS = 1;
const LARGEST = 65_536;

/** What came of a question: an answer after a while, or the name of an error. */
export type Exchange = { readonly ms: number } | { readonly error: string };

/** Of {@link DatagramSocket}. */
export interface DatagramOptions {
  readonly libc: SocketLibc;
  readonly clock: Clock;
  readonly ip: string;
  /** UDP port; ICMP without it. */
  readonly port?: number;
}

/** A socket for questions that Node has none for: ICMP echo, and UDP whose packets are never taken apart. */
export class DatagramSocket {
  readonly #libc: SocketLibc;
  readonly #clock: Clock;
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(LARGEST);

  /** Throws KernelError when the kernel doesn't allow it. */
  constructor({ libc, clock, ip, port }: DatagramOptions) {
    this.#libc = libc;
    this.#clock = clock;
    const family = familyOf(ip);
    this.#fd = port === undefined ? openIcmp(libc, family) : open(libc, family, SOCK_DGRAM, 0);
    const value = Buffer.alloc(4);
    value.writeUInt32LE(PMTUDISC_DO);
    const address = socketAddress(ip, port ?? 0);
    const [level, option] = MTU_DISCOVER[family];
    const failed =
      (port !== undefined && libc.setsockopt(this.#fd, level, option, value, value.length) < 0) ||
      libc.connect(this.#fd, address, address.length) < 0;
    if (!failed) return;
    const error = failure(libc, `${ip} can not be asked`);
    this.close();
    throw error;
  }

  /** Sends the question and waits until something comes that is its answer. Anything else is passed over. */
  async exchange(question: Buffer, isAnswer: (bytes: Buffer) => boolean, timeoutMs: number): Promise<Exchange> {
    const [libc, clock] = [this.#libc, this.#clock];
    const start = clock.monotonic();
    if (libc.send(this.#fd, question, question.length, MSG_DONTWAIT) < 0) return { error: errorName(libc) };
    while (clock.monotonic() - start < timeoutMs) {
      const length = libc.recv(this.#fd, this.#buffer, LARGEST, MSG_DONTWAIT);
      if (length >= 0 && isAnswer(this.#buffer.subarray(0, length))) return { ms: clock.monotonic() - start };
      if (length >= 0) continue;
      const error = errorName(libc);
      if (error !== 'EAGAIN' && error !== 'EINTR') return { error };
      // Node can't wait for such a socket.
      await clock.sleep(POLL_MS);
    }
    return { error: PROBE_ERRORS.timeout };
  }

  close(): void {
    this.#libc.close(this.#fd);
  }
}

/** A ping socket, which pods may open (`net.ipv4.ping_group_range`), else a raw one, which needs NET_RAW. */
function openIcmp(libc: SocketLibc, family: Family): number {
  const fd = libc.socket(familyNumber(family), SOCK_DGRAM | SOCK_CLOEXEC, ICMP[family]);
  return fd >= 0 ? fd : open(libc, family, SOCK_RAW, ICMP[family]);
}

function open(libc: SocketLibc, family: Family, type: number, protocol: number): number {
  const fd = libc.socket(familyNumber(family), type | SOCK_CLOEXEC, protocol);
  if (fd < 0) throw failure(libc, 'a socket can not be opened');
  return fd;
}

function failure(libc: SocketLibc, what: string): KernelError {
  const errnoName = errorName(libc);
  return new KernelError(`${what}: ${errnoName}`, { errnoName });
}

function errorName(libc: SocketLibc): string {
  const errno = libc.errno();
  return libc.errnoName(errno) || `errno ${errno}`;
}

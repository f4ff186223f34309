import { expect } from 'chai';
import { isErrno, KernelError } from '../../../../src/clusterlink/agent/netlink/kernel-error.js';
import type { SocketLibc } from '../../../../src/clusterlink/agent/netlink/libc.js';
import { DatagramSocket } from '../../../../src/clusterlink/floater/datagram-socket.js';
import { HastyClock } from '../../../support/hasty-clock.js';

const [EINTR, EPERM, EAGAIN, EMSGSIZE] = [4, 1, 11, 90];
const NAMES: Readonly<Record<number, string>> = {
  [EINTR]: 'EINTR',
  [EPERM]: 'EPERM',
  [EAGAIN]: 'EAGAIN',
  [EMSGSIZE]: 'EMSGSIZE',
};
const PING = 2;

/** A C library that plays back what is queued: bytes that arrive, or numbers of errors. */
class ScriptedLibc implements SocketLibc {
  readonly opened: (readonly [domain: number, type: number, protocol: number])[] = [];
  readonly options: (readonly [level: number, option: number])[] = [];
  readonly arriving: (string | number)[] = [];
  readonly refused = new Set<string>();
  closed = 0;
  #errno = 0;

  socket(domain: number, type: number, protocol: number): number {
    const kind = type & 0xf;
    this.opened.push([domain, kind, protocol]);
    return this.#refuses(`socket ${kind}`) ? -1 : 9;
  }

  bind(): number {
    return 0;
  }

  connect(): number {
    return this.#refuses('connect') ? -1 : 0;
  }

  setsockopt(_fd: number, level: number, option: number): number {
    this.options.push([level, option]);
    return this.#refuses('setsockopt') ? -1 : 0;
  }

  send(_fd: number, buffer: Uint8Array): number {
    return this.#refuses('send', EMSGSIZE) ? -1 : buffer.length;
  }

  recv(_fd: number, buffer: Uint8Array): number {
    const next = this.arriving.shift() ?? EAGAIN;
    if (typeof next === 'string') return (buffer.set(Buffer.from(next)), next.length);
    this.#errno = next;
    return -1;
  }

  close(): number {
    this.closed++;
    return 0;
  }

  errno(): number {
    return this.#errno;
  }

  errnoName(errno: number): string {
    return NAMES[errno] ?? '';
  }

  #refuses(what: string, errno = EPERM): boolean {
    if (!this.refused.has(what)) return false;
    this.#errno = errno;
    return true;
  }
}

describe('a datagram socket', () => {
  let libc: ScriptedLibc;
  const clock = new HastyClock();
  const isAnswer = (bytes: Buffer): boolean => bytes.toString() === 'answer';
  const question = Buffer.from('question');

  beforeEach(() => {
    libc = new ScriptedLibc();
  });

  const exchange = async (): Promise<unknown> => {
    const socket = new DatagramSocket({ libc, clock, ip: '10.0.0.1', port: 8889 });
    return socket.exchange(question, isAnswer, 50);
  };

  it('waits for the answer, and passes over everything else', async () => {
    libc.arriving.push(EAGAIN, 'something', EINTR, 'answer');
    expect(await exchange()).to.have.property('ms');
    expect(libc.arriving).to.deep.equal([]);
  });

  it('gives up after its time', async () => {
    expect(await exchange()).to.deep.equal({ error: 'TIMEOUT' });
  });

  it('says what the network told the kernel', async () => {
    libc.arriving.push(EAGAIN, EMSGSIZE);
    expect(await exchange()).to.deep.equal({ error: 'EMSGSIZE' });
  });

  it('says what the kernel does not even send', async () => {
    libc.refused.add('send');
    expect(await exchange()).to.deep.equal({ error: 'EMSGSIZE' });
  });

  it('names an error by its number where it has no name', async () => {
    libc.arriving.push(4711);
    expect(await exchange()).to.deep.equal({ error: 'errno 4711' });
  });

  it('never lets packets be taken apart, in either family', () => {
    new DatagramSocket({ libc, clock, ip: '10.0.0.1', port: 1 });
    new DatagramSocket({ libc, clock, ip: 'fd00::1', port: 1 });
    expect(libc.options).to.deep.equal([
      [0, 10],
      [41, 23],
    ]);
  });

  it('sends pings as anybody may, and as root where that is not allowed', () => {
    new DatagramSocket({ libc, clock, ip: '10.0.0.1' });
    libc.refused.add(`socket ${PING}`);
    new DatagramSocket({ libc, clock, ip: 'fd00::1' });
    expect(libc.opened).to.deep.equal([
      [2, 2, 1],
      [10, 2, 58],
      [10, 3, 58],
    ]);
  });

  for (const [call, port] of [
    ['socket 2', 1],
    ['setsockopt', 1],
    ['connect', 1],
  ] as const) {
    it(`is closed again and says so when ${call} is refused`, () => {
      libc.refused.add(call);
      let caught: unknown;
      try {
        new DatagramSocket({ libc, clock, ip: '10.0.0.1', port });
      } catch (error) {
        caught = error;
      }
      expect(caught).to.be.instanceOf(KernelError);
      expect(isErrno(caught, 'EPERM')).to.equal(true);
      expect(libc.closed).to.equal(call === 'socket 2' ? 0 : 1);
    });
  }

  it('is closed once', () => {
    new DatagramSocket({ libc, clock, ip: '10.0.0.1', port: 1 }).close();
    expect(libc.closed).to.equal(1);
  });
});

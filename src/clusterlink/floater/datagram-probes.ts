import { createSocket, type Socket } from 'node:dgram';
import type { Clock, Random, Timer } from '../../lib/clock.js';
import { familyOf } from '../agent/netlink/family.js';
import { KernelError } from '../agent/netlink/kernel-error.js';
import type { SocketLibc } from '../agent/netlink/libc.js';
import { DatagramSocket, type Exchange } from './datagram-socket.js';
import { largestPacket, type SizeAnswer } from './largest-packet.js';
import { type Outcome, PROBE_ERRORS, UDP_QUESTIONS } from './plan.js';
import { encodeEcho, encodeSizeQuestion, isEchoReply, isSizeAnswer, SMALLEST_SIZE } from './wire.js';

/** What probes need. */
export interface ProbeTools {
  readonly libc: SocketLibc;
  readonly clock: Clock;
  readonly random: Random;
  readonly timeoutMs: number;
}

/** A floater at an address. */
export interface FloaterAddress {
  readonly ip: string;
  readonly port: number;
}

const ATTEMPTS = 3;
/** So many questions without an answer, and nobody is there. */
const GIVE_UP_AFTER = 3;
const CONTENT_BYTES = 32;
/** Packets of some sizes are meant to get lost, so this must not take long. */
const SIZE_TIMEOUT_MS = 500;
const SIZE_ATTEMPTS = 2;
/** The largest that floaters answer. */
const LARGEST_PACKET = 9_000;

/** ICMP echo. */
export async function probeIcmp(ip: string, tools: ProbeTools): Promise<Outcome> {
  const { random, timeoutMs } = tools;
  const family = familyOf(ip);
  const identifier = randomNumber(random, 16);
  return withSocket({ ...tools, ip }, async (socket) => {
    let last: Exchange = { error: PROBE_ERRORS.timeout };
    for (let sequence = 1; sequence <= ATTEMPTS; sequence++) {
      const content = randomBytes(random, CONTENT_BYTES);
      const question = encodeEcho(family, identifier, sequence, content);
      last = await socket.exchange(question, (bytes) => isEchoReply(family, bytes, sequence, content), timeoutMs);
      if ('ms' in last) return { ok: true, ms: rounded(last.ms) };
    }
    return { ok: false, error: last.error };
  });
}

/** The largest packet that gets to a floater whole. `most`: the MTU of the own device. */
export async function probeMtu({ ip, port }: FloaterAddress, most: number, tools: ProbeTools): Promise<Outcome> {
  const family = familyOf(ip);
  let sequence = randomNumber(tools.random, 31);
  return withSocket({ ...tools, ip, port }, async (socket) => {
    const ask = async (bytes: number): Promise<SizeAnswer> => {
      for (let attempt = 0; attempt < SIZE_ATTEMPTS; attempt++) {
        const number = ++sequence;
        const question = encodeSizeQuestion(family, bytes, number);
        const heard = await socket.exchange(question, (answer) => isSizeAnswer(answer, number), SIZE_TIMEOUT_MS);
        if ('ms' in heard) return 'passed';
        if (heard.error === 'EMSGSIZE') return 'tooLarge';
      }
      return 'lost';
    };
    const found = await largestPacket({ least: SMALLEST_SIZE[family], most: Math.min(most, LARGEST_PACKET), ask });
    if (found === undefined) return { ok: false, error: PROBE_ERRORS.timeout };
    const { bytes, told } = found;
    return told ? { ok: true, bytes } : { ok: false, bytes, error: PROBE_ERRORS.blackHole };
  });
}

async function withSocket(
  options: ProbeTools & { readonly ip: string; readonly port?: number },
  action: (socket: DatagramSocket) => Promise<Outcome>,
): Promise<Outcome> {
  try {
    const socket = new DatagramSocket(options);
    try {
      return await action(socket);
    } finally {
      socket.close();
    }
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { ok: false, error: error.errnoName || error.code };
  }
}

/** Several questions by UDP, one after the other: also tells how many got lost. */
export async function probeUdp({ ip, port }: FloaterAddress, tools: Omit<ProbeTools, 'libc'>): Promise<Outcome> {
  const { clock, random, timeoutMs } = tools;
  const socket = createSocket(familyOf(ip) === 'ipv4' ? 'udp4' : 'udp6');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, ip, resolve);
    });
    socket.removeAllListeners('error');
    const heard: Exchange[] = [];
    for (let asked = 0; asked < UDP_QUESTIONS; asked++) {
      heard.push(await ask(socket, randomBytes(random, CONTENT_BYTES), clock, timeoutMs));
      if (asked + 1 === GIVE_UP_AFTER && heard.every((one) => 'error' in one)) break;
    }
    const times = heard.flatMap((one) => ('ms' in one ? one.ms : []));
    const [error = PROBE_ERRORS.timeout] = heard.flatMap((one) => ('error' in one ? one.error : []));
    if (times.length === 0) return { ok: false, error };
    const lost = heard.length - times.length;
    return { ok: true, ms: rounded(Math.min(...times)), ...(lost > 0 && { lost }) };
  } catch (error) {
    return { ok: false, error: (error as NodeJS.ErrnoException).code ?? PROBE_ERRORS.timeout };
  } finally {
    socket.close();
  }
}

function ask(socket: Socket, question: Buffer, clock: Clock, timeoutMs: number): Promise<Exchange> {
  const start = clock.monotonic();
  return new Promise((resolve) => {
    const end = (exchange: Exchange): void => {
      timer.cancel();
      socket.off('message', onMessage).off('error', onError);
      resolve(exchange);
    };
    const onMessage = (bytes: Buffer): void => {
      if (bytes.equals(question)) end({ ms: clock.monotonic() - start });
    };
    const onError = (error: NodeJS.ErrnoException): void => end({ error: error.code ?? error.message });
    const timer: Timer = clock.schedule(timeoutMs, () => end({ error: PROBE_ERRORS.timeout }));
    socket.on('message', onMessage).on('error', onError);
    socket.send(question, (error) => {
      if (error !== null) onError(error);
    });
  });
}

const rounded = (ms: number): number => Math.round(ms * 100) / 100;

function randomNumber(random: Random, bits: number): number {
  return Math.floor(random() * 2 ** bits);
}

function randomBytes(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => randomNumber(random, 8)));
}

import { createSocket, type Socket } from 'node:dgram';
import type { NodeConfigPeerStatus } from '../../../apis/kosmos/v1alpha1/node-config.js';
import type { Clock, Random } from '../../../lib/clock.js';
import { errorMessage } from '../../../lib/errors.js';
import type { Logger } from '../../../lib/logger.js';
import { familyOf } from '../netlink/family.js';
import { decodeProbe, encodeProbe } from './packet.js';
import { type ProbePlan, type ProbeTarget, targetAddress } from './targets.js';
import { ProbeWindow } from './window.js';

/** Collaborators of {@link Prober}. */
export interface ProberOptions {
  /** UDP port at which agents answer each other. */
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A peer has died or come back. */
  readonly onChange: () => void;
}

interface Peer {
  readonly target: ProbeTarget;
  readonly window: ProbeWindow;
  alive: boolean | undefined;
}

const TICK_MS = 300;
/** Peers that no route depends on are probed at every so many ticks. */
const SLOW_TICKS = 5;
const LIMITS = { timeoutMs: 600, deadAfter: 5 };
const SLOW_LIMITS = { timeoutMs: 1000, deadAfter: 3 };

/**
 * Asks other agents through the tunnels whether they are there, and answers them. A socket for each tunnel address:
 * nobody outside of the tunnels is answered.
 */
export class Prober {
  readonly #options: ProberOptions;
  readonly #session: number;
  readonly #peers = new Map<string, Peer>();
  readonly #sockets = new Map<string, Socket>();
  #sequence = 0;
  #ticks = 0;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#session = Math.floor(options.random() * 2 ** 32);
  }

  /** From now on these; what is known of those that stay is kept. */
  follow({ targets, sources }: Omit<ProbePlan, 'problems'>): void {
    const before = new Map(this.#peers);
    this.#peers.clear();
    for (const target of targets) {
      const old = before.get(target.ip);
      const known = old?.target.gateway === target.gateway ? old : undefined;
      const window = known?.window ?? new ProbeWindow(target.gateway ? LIMITS : SLOW_LIMITS);
      this.#peers.set(target.ip, { target, window, alive: known?.alive });
    }
    for (const ip of [...this.#sockets.keys()]) if (!sources.includes(ip)) this.#close(ip);
    for (const ip of sources) if (!this.#sockets.has(ip)) this.#open(ip);
  }

  /** Whether the agent at a tunnel address is there; undefined when it isn't known. */
  alive(ip: string): boolean | undefined {
    return this.#peers.get(targetAddress(ip))?.window.alive(this.#options.clock.monotonic());
  }

  /** What is known of everyone who is probed. */
  report(): readonly NodeConfigPeerStatus[] {
    const now = this.#options.clock.monotonic();
    return [...this.#peers.values()].flatMap(({ target: { name, ip }, window }) => {
      const reachable = window.alive(now);
      const rttMs = window.rttMs(now);
      if (reachable === undefined) return [];
      const loss = Math.round(window.loss(now) * 100) / 100;
      return [{ name, ip, reachable, loss, ...(rttMs !== undefined && { rttMs: Math.round(rttMs * 100) / 100 }) }];
    });
  }

  /** Probes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      this.#tick();
      await clock.sleep(TICK_MS, signal).catch(() => undefined);
    }
    for (const ip of [...this.#sockets.keys()]) this.#close(ip);
  }

  #tick(): void {
    const { clock, onChange } = this.#options;
    const now = clock.monotonic();
    const slowTurn = this.#ticks++ % SLOW_TICKS === 0;
    let changed = false;
    for (const peer of this.#peers.values()) {
      const alive = peer.window.alive(now);
      changed ||= peer.alive !== alive;
      peer.alive = alive;
      if (peer.target.gateway || slowTurn) this.#ask(peer, now);
    }
    if (changed) onChange();
  }

  #ask({ target, window }: Peer, now: number): void {
    const sequence = (this.#sequence = (this.#sequence + 1) >>> 0);
    window.sent(sequence, now);
    this.#send(
      this.#sockets.get(target.source),
      encodeProbe({ kind: 'question', session: this.#session, sequence }),
      target.ip,
    );
  }

  #send(socket: Socket | undefined, packet: Buffer, ip: string): void {
    // What can't be sent is lost, and counts as that.
    socket?.send(packet, this.#options.port, ip, (error) => {
      if (error !== null) this.#options.logger.debug('a probe could not be sent', { ip, error: error.message });
    });
  }

  #open(ip: string): void {
    const socket = createSocket(familyOf(ip) === 'ipv4' ? 'udp4' : 'udp6');
    this.#sockets.set(ip, socket);
    socket.on('error', (error) => {
      // The address isn't there (any more); it is tried again after the next look at the network.
      this.#options.logger.warn('probes can not be answered', { ip, error: errorMessage(error) });
      if (this.#sockets.get(ip) === socket) this.#sockets.delete(ip);
      socket.close();
    });
    socket.on('message', (bytes, { address, port }) => {
      const packet = decodeProbe(bytes);
      if (packet?.kind === 'question')
        socket.send(encodeProbe({ ...packet, kind: 'answer' }), port, address, () => undefined);
      else if (packet?.session === this.#session) this.#answered(address, packet.sequence);
    });
    socket.bind(this.#options.port, ip);
  }

  #answered(ip: string, sequence: number): void {
    this.#peers.get(ip)?.window.answered(sequence, this.#options.clock.monotonic());
  }

  #close(ip: string): void {
    this.#sockets.get(ip)?.close();
    this.#sockets.delete(ip);
  }
}

import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../lib/clock.js';
import { createServer } from '../../lib/node-http.js';
import type { ServedNode } from './endpoint.js';

/** What a connection may take up. */
export interface HttpLimits {
  readonly maxHeaderBytes: number;
  /** A head that trickles in is cut off after this time. */
  readonly headersTimeoutMs: number;
  /** The same for a whole request; nothing here has a body that matters. */
  readonly requestTimeoutMs: number;
  /** How often that is checked. */
  readonly checkIntervalMs: number;
  /** How long a connection may stay idle between requests. */
  readonly keepAliveMs: number;
}

const LIMITS: HttpLimits = {
  // Go's kubelet takes a megabyte; this is room for the longest command that anybody types, and for few megabytes of
  // memory to those who prove nothing.
  maxHeaderBytes: 256 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkIntervalMs: 5_000,
  // Longer than the 90 s of Go's clients, so that it is they who close: a request never meets a closed connection.
  keepAliveMs: 120_000,
};
const DRAIN_INTERVAL_MS = 100;

export interface HttpFrontOptions {
  readonly onRequest: RequestListener;
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly clock: Clock;
  /** @default what suits a kubelet */
  readonly limits?: HttpLimits | undefined;
}

/** HTTP for the connections of all virtual nodes; it knows of each connection whose it is. */
export class HttpFront {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #nodes = new WeakMap<Socket, ServedNode>();
  readonly #open = new Set<TLSSocket>();

  constructor({ onRequest, onUpgrade, clock, limits = LIMITS }: HttpFrontOptions) {
    this.#clock = clock;
    this.#server = createServer(
      {
        maxHeaderSize: limits.maxHeaderBytes,
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        connectionsCheckingInterval: limits.checkIntervalMs,
        keepAliveTimeout: limits.keepAliveMs,
      },
      onRequest,
    );
    this.#server.on('upgrade', onUpgrade);
    // It never listens itself; yet this is when Node begins to enforce the time limits above.
    this.#server.emit('listening');
  }

  /** Connections that are open, sessions among them. */
  get connections(): number {
    return this.#open.size;
  }

  nodeOf(socket: Socket): ServedNode | undefined {
    return this.#nodes.get(socket);
  }

  /** Serves a connection for a node. */
  accept(socket: TLSSocket, node: ServedNode): void {
    this.#nodes.set(socket, node);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    this.#server.emit('connection', socket);
  }

  /** Ends the connections on which nothing is under way. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  /** Lets requests and sessions go on for a time, then ends what is left. */
  async drain(limitMs: number): Promise<void> {
    this.closeIdle();
    const end = this.#clock.monotonic() + limitMs;
    while (this.#open.size > 0 && this.#clock.monotonic() < end) {
      await this.#clock.sleep(DRAIN_INTERVAL_MS);
      this.closeIdle();
    }
  }

  /** Ends everything, and lets no timer behind. */
  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }
}

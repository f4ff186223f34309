import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../lib/clock.js';
import type { ServedNode } from './endpoint.js';

/** Go's kubelet takes a megabyte; this is room for the longest command that fits into a URL of an API server. */
const MAX_HEADER_BYTES = 256 * 1024;
/** A head that trickles in is cut off. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Nothing here has a body that matters. */
const REQUEST_TIMEOUT_MS = 30_000;
const CHECK_INTERVAL_MS = 5_000;
/** Longer than the 90 s of Go's clients, so that it is they who close: a request never meets a closed connection. */
const KEEP_ALIVE_MS = 120_000;

export interface HttpFrontOptions {
  readonly onRequest: RequestListener;
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly clock: Clock;
}

/** HTTP for the connections of all virtual nodes; it knows of each connection whose it is. */
export class HttpFront {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #nodes = new WeakMap<Socket, ServedNode>();
  readonly #open = new Set<TLSSocket>();

  constructor({ onRequest, onUpgrade, clock }: HttpFrontOptions) {
    this.#clock = clock;
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
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

const DRAIN_INTERVAL_MS = 100;

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import type { Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import type { Logger } from '../../lib/logger.js';
import { createServer as createHttpServer } from '../../lib/node-http.js';
import { answerTo } from './wire.js';

/** Where the floater listens; 0 takes any free port. */
export interface FloaterOptions {
  readonly address: string;
  readonly httpPort: number;
  readonly tcpPort: number;
  readonly udpPort: number;
  /** What the HTTP answer names. */
  readonly nodeName: string;
  readonly logger: Logger;
}

/** Where it listens in fact. */
export interface FloaterPorts {
  readonly http: number;
  readonly tcp: number;
  readonly udp: number;
}

/** A connection without a word for this time is closed. */
const IDLE_MS = 60_000;
/** Larger than any datagram that has a use in a check of MTUs, smaller than what would make it a reflector of floods. */
const LARGEST_ECHO = 9_000;

/**
 * The target of connectivity checks: answers HTTP with who asked whom, and sends back what comes by TCP or UDP; of a
 * question about sizes only its head. It keeps nothing.
 */
export class Floater {
  readonly #options: FloaterOptions;
  readonly #http: HttpServer;
  readonly #tcp: TcpServer;
  readonly #udp: UdpSocket;
  readonly #connections = new Set<Socket>();

  constructor(options: FloaterOptions) {
    this.#options = options;
    this.#http = createHttpServer((request, response) => {
      const { remoteAddress: client, localAddress: server } = request.socket;
      const body = JSON.stringify({ node: options.nodeName, client, server });
      response.writeHead(200, { 'content-type': 'application/json' }).end(`${body}\n`);
    });
    this.#tcp = createTcpServer((socket) => this.#echo(socket));
    this.#udp = createSocket(options.address.includes(':') ? 'udp6' : 'udp4');
    this.#udp.on('message', (bytes, { address, port }) => {
      if (bytes.length <= LARGEST_ECHO) this.#udp.send(answerTo(bytes), port, address, () => undefined);
    });
  }

  /** Rejects when a port can't be had. */
  async listen(): Promise<FloaterPorts> {
    const { address, httpPort, tcpPort, udpPort } = this.#options;
    await Promise.all([
      opened(this.#http, () => this.#http.listen(httpPort, address)),
      opened(this.#tcp, () => this.#tcp.listen(tcpPort, address)),
      opened(this.#udp, () => this.#udp.bind(udpPort, address)),
    ]);
    return { http: portOf(this.#http), tcp: portOf(this.#tcp), udp: this.#udp.address().port };
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    this.#http.closeAllConnections();
    await Promise.all([
      new Promise<void>((resolve) => this.#http.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
    ]);
  }

  #echo(socket: Socket): void {
    this.#connections.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', (error) => this.#options.logger.debug('a connection broke', { error: error.message }));
    socket.on('close', () => this.#connections.delete(socket));
    socket.pipe(socket);
  }
}

interface Opening {
  once(event: 'listening', listener: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
}

function opened(server: Opening, open: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    open();
  });
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as { port: number }).port;
}

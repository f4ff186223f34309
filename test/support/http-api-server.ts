import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { ClusterAccess } from '../../src/kube/cluster-access.js';
import { type Credential, PlainCredential } from '../../src/kube/credential.js';
import { systemClock } from '../../src/lib/clock.js';

/** A request as it arrived. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Which TCP connection it came on: 0 for the first one. */
  readonly connection: number;
  /** Subject of the client's certificate, when it sent one. */
  readonly clientName: string | undefined;
}

/** Answers a request, or takes the response over for as long as it likes. */
export type RequestHandler = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>;

/** Takes a connection over whose client wants another protocol. */
export type Upgrader = (request: IncomingMessage, socket: Duplex) => void;

/** A real HTTP or HTTPS server on a port of its own, whose answers the test decides. */
export class HttpApiServer {
  readonly requests: ReceivedRequest[] = [];
  handler: RequestHandler = (_request, response) => sendStatus(response, 404, 'NotFound');
  connections = 0;
  #upgrader: Upgrader | undefined;
  readonly #server: Server;
  readonly #sockets = new Map<Socket, number>();
  readonly #secure: boolean;

  private constructor(tls: ServerOptions | undefined) {
    this.#secure = tls !== undefined;
    this.#server = tls ? createHttpsServer(tls) : createHttpServer();
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#sockets.set(socket, this.connections++);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#receive(request, response);
    });
  }

  static async start(tls?: ServerOptions, port = 0): Promise<HttpApiServer> {
    const server = new HttpApiServer(tls);
    await new Promise<void>((resolve) => server.#server.listen(port, '127.0.0.1', resolve));
    return server;
  }

  set upgrader(upgrader: Upgrader) {
    if (this.#upgrader === undefined) {
      this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex) => this.#upgrader?.(request, socket));
    }
    this.#upgrader = upgrader;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#secure ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Cuts all connections without a word. */
  cutConnections(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  async close(): Promise<void> {
    this.cutConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const url = new URL(request.url ?? '/', 'http://server');
    const received: ReceivedRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      connection: this.#sockets.get(request.socket) ?? -1,
      clientName: commonName(request.socket),
    };
    this.requests.push(received);
    await this.handler(received, response);
  }
}

function commonName(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const subject = socket.getPeerCertificate().subject as { readonly CN?: string } | undefined;
  return subject?.CN;
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  body: unknown,
  options: { readonly code?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): void {
  response.writeHead(options.code ?? 200, { 'content-type': 'application/json', ...options.headers });
  response.end(JSON.stringify(body));
}

/** Answers with a Status that tells of a failure. */
export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly details?: unknown } = {},
): void {
  const { headers, details } = options;
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: `no: ${reason}`,
    reason,
    code,
    details,
  };
  sendJson(response, status, { code, ...(headers && { headers }) });
}

/** Access to a test server without TLS, or with whatever is given. */
export function accessTo(
  server: Pick<HttpApiServer, 'url'>,
  more: Partial<ClusterAccess> = {},
  credential: Credential = new PlainCredential({}, systemClock),
): ClusterAccess {
  return { server: server.url, insecureSkipTlsVerify: false, credential, fingerprint: 'test', ...more };
}

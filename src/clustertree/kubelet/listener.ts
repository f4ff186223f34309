import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import type { KubeletObserver } from './observer.js';

/** What a listener shows, and what it checks clients against. */
export interface ListenerCredential {
  /** PEM. */
  readonly certificate: string;
  /** PEM; never logged. */
  readonly key: string;
  /** PEM; without it no client certificate is accepted. */
  readonly clientAuthority: string | undefined;
}

export interface ListenerOptions {
  /** Address to listen on; all of them when undefined. */
  readonly address: string | undefined;
  readonly port: number;
  readonly credential: ListenerCredential;
  /** Receives each connection after its handshake. */
  readonly onConnection: (socket: TLSSocket) => void;
  /** Whether there may be one connection more. */
  readonly hasRoom: () => boolean;
  readonly observer: Pick<KubeletObserver, 'connection' | 'refused'>;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** The TLS port of one virtual node. Clients without a valid certificate get in as well: they may have a token. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #credential: ListenerCredential;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#credential = options.credential;
    const { observer, onConnection, hasRoom } = options;
    this.#server = createServer({ ...tlsOptions(options.credential), allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    this.#server.on('connection', (socket: Socket) => {
      if (!hasRoom()) {
        observer.refused('limit');
        socket.destroy();
        return;
      }
      this.#sockets.add(socket);
      observer.connection(1);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        observer.connection(-1);
      });
    });
    this.#server.on('tlsClientError', () => observer.refused('handshake'));
  }

  /** Starts listening; rejects when the port can't be had. */
  listen(): Promise<number> {
    const { port, address } = this.#options;
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, ...(address !== undefined && { host: address }) }, () => {
        server.off('error', reject);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  /** For new connections; those that are open go on. */
  setCredential(credential: ListenerCredential): void {
    const { certificate, key, clientAuthority } = this.#credential;
    const isSame =
      certificate === credential.certificate &&
      key === credential.key &&
      clientAuthority === credential.clientAuthority;
    if (isSame) return;
    this.#credential = credential;
    this.#server.setSecureContext(tlsOptions(credential));
  }

  /** Takes no more connections; those that are open go on. */
  stop(): void {
    this.#server.close();
  }

  /** Ends everything. */
  close(): void {
    this.stop();
    for (const socket of this.#sockets) socket.destroy();
  }
}

function tlsOptions({ certificate, key, clientAuthority }: ListenerCredential): TlsOptions {
  return {
    cert: certificate,
    key,
    // An empty list trusts nobody; without one, Node would trust the public authorities.
    ca: clientAuthority ?? [],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  };
}

import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** An HTTP proxy that knows only CONNECT, as companies have them. */
export class ConnectProxy {
  /** `host:port` of every tunnel. */
  readonly tunnels: string[] = [];
  /** The last `Proxy-Authorization` header. */
  authorization: string | undefined;
  /** Refuse further tunnels with this code. */
  refuseWith: number | undefined;
  readonly #server: Server = createServer();
  readonly #sockets = new Set<Socket>();

  static async start(): Promise<ConnectProxy> {
    const proxy = new ConnectProxy();
    proxy.#server.on('connect', (request: IncomingMessage, socket: Socket) => proxy.#tunnel(request, socket));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #tunnel(request: IncomingMessage, socket: Socket): void {
    this.authorization = request.headers['proxy-authorization'];
    this.#watch(socket);
    if (this.refuseWith !== undefined) {
      socket.end(`HTTP/1.1 ${this.refuseWith} No\r\n\r\n`);
      return;
    }
    this.tunnels.push(request.url ?? '');
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host);
    this.#watch(upstream);
    upstream.on('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

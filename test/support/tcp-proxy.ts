import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP proxy between a client and an API server that does to their connections what bad networks do. */
export class TcpProxy {
  /** New connections are closed at once. */
  refuse = false;
  /** Milliseconds that each chunk from the server is late. */
  delayMs = 0;
  /** Each connection that is opened from now on ends after this many bytes from the server. */
  truncateAfterBytes = Infinity;
  /** Connections so far. */
  accepted = 0;
  #stalled = false;
  readonly #server: Server;
  readonly #links = new Set<Link>();

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => {
      this.accepted += 1;
      if (this.refuse) {
        client.destroy();
        return;
      }
      const link = new Link(client, connect(target), this);
      this.#links.add(link);
      if (this.#stalled) link.pause();
      client.on('close', () => this.#links.delete(link));
    });
  }

  /** Listens on a port of its own at 127.0.0.1 and leads to the host and port of the URL. */
  static async start(targetUrl: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(targetUrl);
    const proxy = new TcpProxy({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) });
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get open(): number {
    return this.#links.size;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const link of this.#links) link.destroy();
  }

  /** Nothing goes through any more, and nobody is told, until `resume`. */
  stall(): void {
    this.#stalled = true;
    for (const link of this.#links) link.pause();
  }

  resume(): void {
    this.#stalled = false;
    for (const link of this.#links) link.resume();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Link {
  readonly #client: Socket;
  readonly #upstream: Socket;

  constructor(client: Socket, upstream: Socket, proxy: TcpProxy) {
    this.#client = client;
    this.#upstream = upstream;
    let left = proxy.truncateAfterBytes;
    client.on('error', () => this.destroy());
    upstream.on('error', () => this.destroy());
    client.on('close', () => this.destroy());
    upstream.on('close', () => this.destroy());
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      const deliver = (): void => {
        if (client.destroyed) return;
        if (left > 0) client.write(part);
        else client.end(part);
      };
      if (proxy.delayMs > 0) setTimeout(deliver, proxy.delayMs);
      else deliver();
    });
  }

  pause(): void {
    this.#client.pause();
    this.#upstream.pause();
  }

  resume(): void {
    this.#client.resume();
    this.#upstream.resume();
  }

  destroy(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }
}

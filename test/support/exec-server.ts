import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Fixed by RFC 6455, section 1.3. */
const ACCEPT_KEY = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const BINARY = 0x82;
const CLOSE = 0x88;

/** The API server's end of one `exec`: messages of `v5.channel.k8s.io` over a WebSocket, none longer than 64 KiB. */
export class ExecServer {
  readonly query: URLSearchParams;
  readonly protocols: string | undefined;
  readonly authorization: string | undefined;
  /** Called with each message: channel and text. */
  onMessage: (channel: number, text: string) => void = () => undefined;
  readonly #socket: Duplex;
  #pending = Buffer.alloc(0);

  constructor(request: IncomingMessage, socket: Duplex) {
    this.#socket = socket;
    this.query = new URL(request.url ?? '', 'http://server').searchParams;
    this.protocols = request.headers['sec-websocket-protocol'];
    this.authorization = request.headers.authorization;
    const key = `${request.headers['sec-websocket-key'] ?? ''}${ACCEPT_KEY}`;
    const accept = createHash('sha1').update(key).digest('base64');
    const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
    head.push(`Sec-WebSocket-Accept: ${accept}`, `Sec-WebSocket-Protocol: ${this.protocols ?? ''}`, '', '');
    socket.write(head.join('\r\n'));
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => undefined);
  }

  send(channel: number, text: string): void {
    const payload = Buffer.concat([Uint8Array.of(channel), Buffer.from(text)]);
    this.#frame(BINARY, payload);
  }

  /** Ends it, with a Status or without. */
  end(status?: object): void {
    if (status !== undefined) this.send(3, JSON.stringify(status));
    this.#frame(CLOSE, Buffer.from([3, 232]));
  }

  cut(): void {
    this.#socket.destroy();
  }

  #frame(kind: number, payload: Buffer): void {
    const { length } = payload;
    const head = length < 126 ? [kind, length] : [kind, 126, length >> 8, length & 255];
    this.#socket.write(Buffer.concat([Buffer.from(head), payload]));
  }

  /** Frames of clients are masked (section 5.3). */
  #take(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const short = (this.#pending[1] ?? 0) & 127;
      const start = short === 126 ? 4 : 2;
      if (this.#pending.length < start + 4) return;
      const length = short === 126 ? this.#pending.readUInt16BE(2) : short;
      const end = start + 4 + length;
      if (this.#pending.length < end) return;
      const kind = (this.#pending[0] ?? 0) & 15;
      const mask = this.#pending.subarray(start, start + 4);
      const payload = this.#pending.subarray(start + 4, end).map((byte, at) => byte ^ (mask[at % 4] ?? 0));
      this.#pending = this.#pending.subarray(end);
      if (kind === 8) this.#socket.end();
      else if (kind === 2) this.onMessage(payload[0] ?? -1, Buffer.from(payload.subarray(1)).toString());
    }
  }
}

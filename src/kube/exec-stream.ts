import type { Dispatcher, WebSocket } from 'undici';
import type { ClusterAccess } from './cluster-access.js';
import { createDispatchers } from './dispatchers.js';

/** Channels of `v5.channel.k8s.io`: the first byte of each message (k8s.io/apimachinery, remotecommand). */
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const PROTOCOLS = ['v5.channel.k8s.io'];
/** What the API server may not have taken yet before no more is sent. */
const HIGH_WATER_BYTES = 1 << 20;

/** How a command ended that ran in a container. */
export type ExecOutcome =
  | { readonly kind: 'ended'; readonly exitCode: number }
  /** The command could not be run, in the container runtime's words. */
  | { readonly kind: 'failed'; readonly message: string }
  /** The connection broke first. */
  | { readonly kind: 'broken' }
  /** The API server did not switch protocols; an ordinary request tells why. */
  | { readonly kind: 'refused' };

export interface ExecSinks {
  onOutput(bytes: Uint8Array, to: 'out' | 'err'): void;
}

/** A command that runs in a container, over a WebSocket of its own. */
export class ExecStream {
  readonly outcome: Promise<ExecOutcome>;
  readonly #socket: WebSocket;
  readonly #dispatcher: Dispatcher;
  readonly #opened: Promise<boolean>;
  #status: string | undefined;

  private constructor(socket: WebSocket, dispatcher: Dispatcher, sinks: ExecSinks) {
    this.#socket = socket;
    this.#dispatcher = dispatcher;
    socket.binaryType = 'arraybuffer';
    let isOpen = false;
    this.#opened = new Promise((resolve) => {
      socket.addEventListener('open', () => resolve((isOpen = true)));
      socket.addEventListener('close', () => resolve(false));
    });
    this.outcome = new Promise((resolve) => {
      const end = (): void => resolve(isOpen ? outcomeOf(this.#status) : { kind: 'refused' });
      socket.addEventListener('close', end);
      socket.addEventListener('error', end);
    });
    socket.addEventListener('message', ({ data }) => this.#take(new Uint8Array(data as ArrayBuffer), sinks));
  }

  /** `path` is that of the subresource with its query. */
  static async open(access: ClusterAccess, path: string, sinks: ExecSinks, signal: AbortSignal): Promise<ExecStream> {
    const material = await access.credential.current(signal);
    const limits = { connections: 1, connectTimeoutMs: 10_000 };
    const dispatcher = createDispatchers(access, material.clientCertificate, limits).openSingle();
    const headers: [string, string][] = [...(access.impersonation ?? [])].map(([name, value]) => [name, value]);
    if (material.authorization !== undefined) headers.push(['authorization', material.authorization.reveal()]);
    // The whole of undici, which only commands like this one need.
    const { WebSocket } = await import('undici');
    const url = `${access.server.replace(/\/+$/, '').replace(/^http/, 'ws')}${path}`;
    const stream = new ExecStream(new WebSocket(url, { protocols: PROTOCOLS, dispatcher, headers }), dispatcher, sinks);
    signal.addEventListener('abort', () => void stream.close(), { once: true });
    return stream;
  }

  /** Whether the command has begun. */
  get opened(): Promise<boolean> {
    return this.#opened;
  }

  /** Whether so much has been sent that the sender should wait. */
  get isFull(): boolean {
    return this.#socket.bufferedAmount > HIGH_WATER_BYTES;
  }

  send(bytes: Uint8Array): void {
    this.#send(CHANNEL.stdin, bytes);
  }

  /** The command sees the end of its input. */
  endInput(): void {
    this.#send(CHANNEL.close, Uint8Array.of(CHANNEL.stdin));
  }

  resize(columns: number, rows: number): void {
    this.#send(CHANNEL.resize, Buffer.from(JSON.stringify({ Width: columns, Height: rows })));
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  #send(channel: number, bytes: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(Buffer.concat([Uint8Array.of(channel), bytes]));
  }

  #take(message: Uint8Array, sinks: ExecSinks): void {
    const [channel] = message;
    const bytes = message.subarray(1);
    if (channel === CHANNEL.stdout) sinks.onOutput(bytes, 'out');
    else if (channel === CHANNEL.stderr) sinks.onOutput(bytes, 'err');
    else if (channel === CHANNEL.error) this.#status = (this.#status ?? '') + Buffer.from(bytes).toString();
  }
}

interface ExitStatus {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/** Reads the Status that the error channel carries in the end. */
export function outcomeOf(text: string | undefined): ExecOutcome {
  if (text === undefined || text === '') return { kind: 'broken' };
  const { status, reason, message = '', details } = JSON.parse(text) as ExitStatus;
  if (status === 'Success') return { kind: 'ended', exitCode: 0 };
  const cause = details?.causes?.find((candidate) => candidate.reason === 'ExitCode');
  if (reason === 'NonZeroExitCode' && cause?.message !== undefined) {
    return { kind: 'ended', exitCode: Number(cause.message) };
  }
  return { kind: 'failed', message };
}

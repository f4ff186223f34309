import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { AbortableHandler, type AnswerHead, ConnectionError, type WireRequest } from './exchange.js';

/** An answer that is read while it comes in, on a connection of its own. */
export interface ServerStream extends AnswerHead {
  /** Called whenever bytes come in, or may come in again after a pause; for watchdogs. */
  onActivity: (() => void) | undefined;
  /** True while the stream holds the sender back because the reader is slow. */
  readonly paused: boolean;
  /**
   * The next bytes; undefined at the clean end. Rejects when the connection breaks or is closed. One call at a time.
   */
  read(): Promise<Buffer | undefined>;
  /** What is there already, without waiting. */
  readNow(): Buffer | undefined;
  /** Closes the connection. Idempotent. `reason` becomes the error of a pending `read`. */
  close(reason?: Error): Promise<void>;
}

/** Unread bytes above this hold the sender back. */
const HIGH_WATER_BYTES = 1 << 20;

/** What became of a request to switch protocols (RFC 9110, section 7.8). */
export type UpgradeOutcome =
  /** 101: the connection belongs to the caller from now on, who has to destroy it. */
  | (AnswerHead & { readonly switched: true; readonly socket: Duplex })
  /** Anything else, with its body. */
  | { readonly switched: false; readonly answer: ServerStream };

/** When a stream is given up. */
interface Limits {
  /** For the time until the head of the answer. */
  readonly opening: AbortSignal;
  /** Each of them closes the stream, with its reason. */
  readonly stops: readonly AbortSignal[];
}

/**
 * Resolves with the head of the answer. `opening` is for the time until then; each of `stops` closes the stream later,
 * with its reason. The dispatcher belongs to the stream.
 */
export function openStream(
  dispatcher: Dispatcher,
  request: WireRequest,
  opening: AbortSignal,
  stops: readonly AbortSignal[],
): Promise<ServerStream> {
  return new Promise((resolve, reject) => {
    begin(dispatcher, request, { opening, stops }, { onHead: resolve, onFailure: reject });
  });
}

/**
 * Asks to switch to the protocol `request.upgrade`. `opening` is for the time until the answer's head; afterwards nothing
 * but its owner ends the connection. The dispatcher belongs to the outcome.
 */
export function openUpgrade(
  dispatcher: Dispatcher,
  request: WireRequest & { readonly upgrade: string },
  opening: AbortSignal,
): Promise<UpgradeOutcome> {
  return new Promise((resolve, reject) => {
    begin(
      dispatcher,
      request,
      { opening, stops: [] },
      {
        onHead: (answer) => resolve({ switched: false, answer }),
        onSwitched: (head, socket) => {
          socket.once('close', () => void dispatcher.destroy());
          resolve({ ...head, switched: true, socket });
        },
        onFailure: reject,
      },
    );
  });
}

interface Outcome {
  onHead(stream: ServerStream): void;
  onSwitched?(head: AnswerHead, socket: Duplex): void;
  onFailure(error: Error): void;
}

function begin(dispatcher: Dispatcher, request: WireRequest, limits: Limits, outcome: Outcome): void {
  const { opening, stops } = limits;
  const state = new StreamState(dispatcher, stops);
  let sent = false;
  const opened = (): void => opening.removeEventListener('abort', onOpeningAbort);
  const handler = new AbortableHandler(request, state.signal, {
    onSend: () => {
      sent = true;
    },
    onHead: (head, controller) => {
      opened();
      outcome.onHead(state.begin(head, controller));
    },
    onSwitched: (head, socket) => {
      opened();
      outcome.onSwitched?.(head, socket);
    },
    onData: (chunk) => state.push(chunk),
    onEnd: () => state.end(undefined),
    onError: (error) => {
      opened();
      const failure = state.signal.aborted
        ? (state.signal.reason as Error)
        : new ConnectionError(error, { sent, answered: state.begun });
      state.end(failure);
      outcome.onFailure(failure);
    },
  });
  const onOpeningAbort = (): void => void state.close(opening.reason as Error);
  if (opening.aborted) onOpeningAbort();
  else opening.addEventListener('abort', onOpeningAbort, { once: true });
  handler.start(dispatcher);
}

class StreamState implements ServerStream {
  statusCode = 0;
  headers: AnswerHead['headers'] = {};
  onActivity: (() => void) | undefined;
  begun = false;
  readonly #dispatcher: Dispatcher;
  readonly #stop = new AbortController();
  readonly #undo: (() => void)[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(dispatcher: Dispatcher, stops: readonly AbortSignal[]) {
    this.#dispatcher = dispatcher;
    for (const signal of stops) {
      const onAbort = (): void => void this.close(signal.reason as Error);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      this.#undo.push(() => signal.removeEventListener('abort', onAbort));
    }
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get paused(): boolean {
    return this.#controller?.paused ?? false;
  }

  begin(head: AnswerHead, controller: Dispatcher.DispatchController): ServerStream {
    this.statusCode = head.statusCode;
    this.headers = head.headers;
    this.begun = true;
    this.#controller = controller;
    return this;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > HIGH_WATER_BYTES) this.#controller?.pause();
    this.onActivity?.();
    this.#wakeReader();
  }

  end(failure: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#wakeReader();
    void this.close();
  }

  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const bytes = this.readNow();
      if (bytes) return bytes;
      if (this.#failure) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  readNow(): Buffer | undefined {
    const [first] = this.#chunks;
    if (!first) return undefined;
    const bytes = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    if (this.paused) {
      this.onActivity?.();
      this.#controller?.resume();
    }
    return bytes;
  }

  close(reason: Error = new Error('the stream is closed')): Promise<void> {
    this.#closed ??= this.#shutDown(reason);
    return this.#closed;
  }

  async #shutDown(reason: Error): Promise<void> {
    for (const step of this.#undo) step();
    if (!this.#ended) {
      this.#ended = true;
      this.#failure = reason;
      this.#stop.abort(reason);
      this.#wakeReader();
    }
    await this.#dispatcher.destroy();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { TransportError } from './transport-error.js';

/** Header names in lower case. */
export type WireHeaders = Record<string, string | string[]>;

/** A request as it goes on the wire. */
export interface WireRequest {
  readonly origin: string;
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers: WireHeaders;
  readonly body?: string | undefined;
  /** The protocol to switch to, as in the `Upgrade` header. */
  readonly upgrade?: string | undefined;
  /** Called right before the first byte is handed to the connection; throwing stops the request. */
  readonly beforeSend?: (() => void) | undefined;
}

/** The start of an answer. Header names are in lower case. */
export interface AnswerHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A whole answer. */
export interface Answer extends AnswerHead {
  readonly body: Buffer;
}

/** Called once, when the connection is done with a request, however it went. */
type OnFinished = () => void;

/**
 * Sends one request and collects the answer. When the signal is aborted the promise rejects at once with its reason,
 * and the connection, whose state is unknown then, is closed. All other failures are TransportErrors.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: WireRequest,
  signal: AbortSignal,
  onFinished: OnFinished,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let head: AnswerHead | undefined;
    let sent = false;
    const chunks: Buffer[] = [];
    const handler = new AbortableHandler(request, signal, {
      onSend: () => {
        sent = true;
      },
      onHead: (received) => {
        head = received;
      },
      onData: (chunk) => {
        chunks.push(chunk);
      },
      onEnd: () => {
        onFinished();
        const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
        if (head) resolve({ ...head, body });
        else reject(unreachable(new Error('the answer has no head'), { sent, answered: false }));
      },
      onError: (error, final) => {
        if (final) onFinished();
        reject(signal.aborted ? (signal.reason as Error) : unreachable(error, { sent, answered: head !== undefined }));
      },
    });
    handler.start(dispatcher);
  });
}

/** A connection failed under a request. */
export class ConnectionError extends TransportError {
  /** The head of the answer had arrived. */
  readonly answered: boolean;

  constructor(error: unknown, stage: { readonly sent: boolean; readonly answered: boolean }) {
    const message = stage.sent
      ? 'the connection to the API server broke before the answer was complete'
      : 'cannot connect to the API server';
    super('API_UNREACHABLE', message, { cause: error, mayHaveArrived: stage.sent });
    this.answered = stage.answered;
  }
}

/** Errors that `beforeSend` threw, and errors that already are ours, go through as they are. */
function unreachable(error: Error, stage: { readonly sent: boolean; readonly answered: boolean }): Error {
  return error instanceof VetoError ? error.reason : new ConnectionError(error, stage);
}

/** Carries what `beforeSend` threw through undici. */
class VetoError extends Error {
  readonly reason: Error;

  constructor(reason: Error) {
    super('not sent');
    this.reason = reason;
  }
}

/** What an AbortableHandler tells its owner. */
export interface ExchangeEvents {
  onSend?(): void;
  onHead(head: AnswerHead, controller: Dispatcher.DispatchController): void;
  /** The answer was 101: the connection is no longer undici's. */
  onSwitched?(head: AnswerHead, socket: Duplex): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** `final` is false when the request was given up but the connection isn't through with it yet. */
  onError(error: Error, final: boolean): void;
}

/** Adds to undici's handler what it lacks: giving a request up at any moment, and a veto right before it is sent. */
export class AbortableHandler implements Dispatcher.DispatchHandler {
  readonly #request: WireRequest;
  readonly #signal: AbortSignal;
  readonly #events: ExchangeEvents;
  #controller: Dispatcher.DispatchController | undefined;
  readonly #onAbort = (): void => {
    const reason = this.#signal.reason as Error;
    // Without a controller the request still waits for its connection, and undici has no way to take it back:
    // the caller gets its answer now, and onRequestStart stops it later.
    if (this.#controller) this.#controller.abort(reason);
    else this.#events.onError(reason, false);
  };

  constructor(request: WireRequest, signal: AbortSignal, events: ExchangeEvents) {
    this.#request = request;
    this.#signal = signal;
    this.#events = events;
  }

  start(dispatcher: Dispatcher): void {
    const { origin, method, path, headers, body, upgrade } = this.#request;
    if (this.#signal.aborted) {
      this.#events.onError(this.#signal.reason as Error, true);
      return;
    }
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    try {
      // Left to itself undici closes the connection after every DELETE with a body, and Kubernetes' DELETEs have one.
      const options = { origin, method, path, headers, body: body ?? null, reset: false };
      dispatcher.dispatch(upgrade === undefined ? options : { ...options, upgrade }, this);
    } catch (error) {
      this.onResponseError(undefined, error as Error);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal.aborted) {
      controller.abort(this.#signal.reason as Error);
      return;
    }
    try {
      this.#request.beforeSend?.();
    } catch (error) {
      controller.abort(new VetoError(error as Error));
      return;
    }
    this.#events.onSend?.();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (statusCode < 200) return;
    this.#events.onHead({ statusCode, headers }, controller);
  }

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: AnswerHead['headers'],
    socket: Duplex,
  ): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#events.onSwitched?.({ statusCode, headers }, socket);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#events.onData(chunk);
  }

  onResponseEnd(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#events.onEnd();
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#events.onError(error, true);
  }
}

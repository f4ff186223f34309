import type { KubeObject } from '../apis/core.js';
import type { Clock, Timer } from '../lib/clock.js';
import type { WatchEvent } from './client.js';
import { LineSplitter } from './line-splitter.js';
import type { ServerStream } from './server-stream.js';
import { TransportError } from './transport-error.js';

/**
 * The events of one watch. Ends when the server closes cleanly; throws `WATCH_BROKEN` when the connection breaks, stays
 * silent for too long or carries something that is no event, after all whole events before that were given out. The
 * connection is closed when the consumer stops iterating.
 */
export class WatchStream<T extends KubeObject> implements AsyncIterableIterator<WatchEvent<T>> {
  readonly #stream: ServerStream;
  readonly #watchdog: SilenceWatchdog;
  readonly #signal: AbortSignal;
  readonly #lines = new LineSplitter();
  #done = false;

  /**
   * @param options.signal ends the watch; the iteration throws its reason.
   * @param options.silenceMs the longest time without any byte. API servers send a bookmark about once a minute.
   */
  constructor(
    stream: ServerStream,
    options: { readonly clock: Clock; readonly silenceMs: number; readonly signal: AbortSignal },
  ) {
    this.#stream = stream;
    this.#signal = options.signal;
    this.#watchdog = new SilenceWatchdog(stream, options);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<WatchEvent<T>, undefined>> {
    if (this.#done) return { done: true, value: undefined };
    try {
      const value = this.#nextBuffered() ?? (await this.#nextReceived());
      if (value) return { done: false, value };
    } catch (error) {
      await this.#close();
      throw this.#explain(error);
    }
    await this.#close();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<WatchEvent<T>, undefined>> {
    await this.#close();
    return { done: true, value: undefined };
  }

  #nextBuffered(): WatchEvent<T> | undefined {
    if (this.#signal.aborted) throw this.#signal.reason;
    for (let line = this.#lines.next(); line !== undefined; line = this.#lines.next()) {
      if (line !== '' && line !== '\r') return parseEvent<T>(line);
    }
    return undefined;
  }

  async #nextReceived(): Promise<WatchEvent<T> | undefined> {
    for (;;) {
      const chunk = await this.#stream.read();
      if (!chunk) break;
      this.#lines.push(chunk);
      const event = this.#nextBuffered();
      if (event) return event;
    }
    if (this.#lines.unfinishedBytes > 0) throw broken('the watch ended in the middle of an event');
    return undefined;
  }

  #explain(error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    if (error instanceof TransportError && error.code === 'WATCH_BROKEN') return error;
    return broken('the watch broke', error);
  }

  async #close(): Promise<void> {
    this.#done = true;
    this.#watchdog.stop();
    await this.#stream.close();
  }
}

function parseEvent<T>(line: string): WatchEvent<T> {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    // The parser's own message quotes the line, which may hold a Secret.
    throw broken('the watch carries something that is not JSON');
  }
  if (!isEvent<T>(event)) throw broken('the watch carries JSON that is no event');
  return event;
}

function isEvent<T>(value: unknown): value is WatchEvent<T> {
  const event = value as Partial<Record<'type' | 'object', unknown>> | null;
  return typeof event === 'object' && typeof event?.type === 'string' && typeof event.object === 'object';
}

function broken(message: string, cause?: unknown): TransportError {
  return new TransportError('WATCH_BROKEN', message, {
    mayHaveArrived: true,
    ...(cause !== undefined && { cause }),
  });
}

/**
 * Closes a stream that brought no byte for too long. One timer is re-armed when it fires rather than with each chunk,
 * which would cost more than the parsing.
 */
class SilenceWatchdog {
  readonly #stream: ServerStream;
  readonly #clock: Clock;
  readonly #silenceMs: number;
  #lastActivity: number;
  #timer: Timer;

  constructor(stream: ServerStream, options: { readonly clock: Clock; readonly silenceMs: number }) {
    this.#stream = stream;
    this.#clock = options.clock;
    this.#silenceMs = options.silenceMs;
    this.#lastActivity = this.#clock.monotonic();
    this.#timer = this.#arm(options.silenceMs);
    stream.onActivity = () => {
      this.#lastActivity = this.#clock.monotonic();
    };
  }

  stop(): void {
    this.#timer.cancel();
    this.#stream.onActivity = undefined;
  }

  #arm(delayMs: number): Timer {
    return this.#clock.schedule(delayMs, () => {
      // A sender that we hold back ourselves is not silent.
      if (this.#stream.paused) this.#lastActivity = this.#clock.monotonic();
      const leftMs = this.#silenceMs - (this.#clock.monotonic() - this.#lastActivity);
      if (leftMs > 0) this.#timer = this.#arm(leftMs);
      else void this.#stream.close(broken(`the watch was silent for ${this.#silenceMs} ms`));
    });
  }
}

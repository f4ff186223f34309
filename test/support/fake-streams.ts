import type { Duplex } from 'node:stream';
import type { MemberStreams } from '../../src/clustertree/cluster/member.js';
import type { AnswerHead } from '../../src/kube/exchange.js';
import type { ServerStream, UpgradeOutcome } from '../../src/kube/server-stream.js';
import type { StreamRequest, UpgradeRequest } from '../../src/kube/transport.js';

/** An answer that the test feeds; `chunks` are there at once. */
export class FakeStream implements ServerStream {
  readonly statusCode: number;
  readonly headers: AnswerHead['headers'];
  onActivity: (() => void) | undefined;
  readonly paused = false;
  /** Why it was closed; undefined while it is open. */
  closed: Error | undefined;
  reads = 0;
  readonly #chunks: Buffer[] = [];
  #ended: { readonly failure: Error | undefined } | undefined;
  #wake: () => void = () => undefined;

  constructor(statusCode = 200, headers: AnswerHead['headers'] = { 'content-type': 'text/plain' }) {
    this.statusCode = statusCode;
    this.headers = headers;
  }

  push(text: string): this {
    this.#chunks.push(Buffer.from(text));
    this.#wake();
    return this;
  }

  end(failure?: Error): this {
    this.#ended ??= { failure };
    this.#wake();
    return this;
  }

  async read(): Promise<Buffer | undefined> {
    this.reads += 1;
    for (;;) {
      const chunk = this.readNow();
      if (chunk !== undefined) return chunk;
      if (this.#ended?.failure !== undefined) throw this.#ended.failure;
      if (this.#ended !== undefined) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  readNow(): Buffer | undefined {
    return this.#chunks.shift();
  }

  close(reason = new Error('closed')): Promise<void> {
    this.closed ??= reason;
    this.end(reason);
    return Promise.resolve();
  }
}

/** The streams of a member whose answers the test decides. */
export class FakeStreams implements MemberStreams {
  readonly requests: (StreamRequest | UpgradeRequest)[] = [];
  onStream: (request: StreamRequest) => ServerStream = () => new FakeStream(404).end();
  onUpgrade: (request: UpgradeRequest) => UpgradeOutcome = () => ({
    switched: false,
    answer: new FakeStream(404).end(),
  });

  stream(request: StreamRequest): Promise<ServerStream> {
    this.requests.push(request);
    return new Promise((resolve) => resolve(this.onStream(request)));
  }

  upgrade(request: UpgradeRequest): Promise<UpgradeOutcome> {
    this.requests.push(request);
    return new Promise((resolve) => resolve(this.onUpgrade(request)));
  }
}

/** A switched connection whose other end the test holds. */
export function switched(socket: Duplex, headers: AnswerHead['headers'] = {}): UpgradeOutcome {
  return { switched: true, statusCode: 101, headers, socket };
}

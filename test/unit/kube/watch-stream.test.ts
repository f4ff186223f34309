import { expect } from 'chai';
import type { KubeObject } from '../../../src/apis/core.js';
import type { WatchEvent } from '../../../src/kube/client.js';
import type { ServerStream } from '../../../src/kube/server-stream.js';
import { TransportError } from '../../../src/kube/transport-error.js';
import { WatchStream } from '../../../src/kube/watch-stream.js';
import { errorMessage } from '../../../src/lib/errors.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

/** A stream whose bytes the test writes. */
class ScriptedStream implements ServerStream {
  readonly statusCode = 200;
  readonly headers = {};
  onActivity: (() => void) | undefined;
  paused = false;
  closed = 0;
  #chunks: Buffer[] = [];
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  write(text: string | Buffer): void {
    this.#chunks.push(Buffer.from(text));
    this.onActivity?.();
    this.#wake?.();
  }

  end(failure?: Error): void {
    this.#ended = true;
    this.#failure = failure;
    this.#wake?.();
  }

  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.readNow();
      if (chunk) return chunk;
      if (this.#failure) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  readNow(): Buffer | undefined {
    return this.#chunks.shift();
  }

  close(reason?: Error): Promise<void> {
    this.closed += 1;
    if (!this.#ended) this.end(reason ?? new Error('closed'));
    return Promise.resolve();
  }
}

function line(name: string, type = 'ADDED'): string {
  return `${JSON.stringify({ type, object: { metadata: { name } } })}\n`;
}

describe('WatchStream', () => {
  let clock: FakeClock;
  let stream: ScriptedStream;
  let giveUp: AbortController;
  let watch: WatchStream<KubeObject>;

  beforeEach(() => {
    clock = new FakeClock();
    stream = new ScriptedStream();
    giveUp = new AbortController();
    watch = new WatchStream(stream, { clock, silenceMs: 90_000, signal: giveUp.signal });
  });

  /** Names of all events until the end, and how it ended. */
  async function collect(): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const event of watch) names.push(`${event.type} ${event.object.metadata?.name}`);
    } catch (error) {
      names.push(error instanceof TransportError ? `${error.code}: ${errorMessage(error)}` : String(error));
    }
    return names;
  }

  it('gives one event for each line, however the bytes come', async () => {
    const bytes = Buffer.from(line('ä') + line('b', 'DELETED') + line('c'));
    for (let i = 0; i < bytes.length; i += 7) stream.write(bytes.subarray(i, i + 7));
    stream.end();
    expect(await collect()).to.deep.equal(['ADDED ä', 'DELETED b', 'ADDED c']);
  });

  it('ignores empty lines', async () => {
    stream.write(`\n\r\n${line('a')}\n`);
    stream.end();
    expect(await collect()).to.deep.equal(['ADDED a']);
  });

  it('gives all whole events before it fails', async () => {
    stream.write(line('a') + line('b'));
    stream.end(new Error('cut'));
    expect(await collect()).to.deep.equal(['ADDED a', 'ADDED b', 'WATCH_BROKEN: the watch broke: cut']);
  });

  it('fails when it ends in the middle of an event', async () => {
    stream.write(line('a') + line('b').slice(0, 20));
    stream.end();
    expect(await collect()).to.deep.equal(['ADDED a', 'WATCH_BROKEN: the watch ended in the middle of an event']);
  });

  for (const bad of [
    '{"type":"ADDED","object":{"da\n',
    'null\n',
    '[]\n',
    '{"type":"ADDED"}\n',
    '{"object":{}}\n',
    '<html>\n',
  ]) {
    it(`fails on ${JSON.stringify(bad)} and skips nothing`, async () => {
      stream.write(line('a') + bad + line('b'));
      const [first, end, ...more] = await collect();
      expect([first, more]).to.deep.equal(['ADDED a', []]);
      expect(end).to.match(/^WATCH_BROKEN: the watch carries/);
    });
  }

  it('never quotes what it could not read', async () => {
    stream.write('{"token": "hunter2" hunter2\n');
    expect((await collect()).join()).not.to.contain('hunter2');
  });

  it('closes the connection when the consumer stops', async () => {
    stream.write(line('a') + line('b'));
    for await (const event of watch) {
      expect(event.object.metadata?.name).to.equal('a');
      break;
    }
    expect(stream.closed).to.equal(1);
    expect(clock.pendingTimers).to.equal(0);
    expect(await watch.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('closes the connection and leaves no timer at the end, good or bad', async () => {
    stream.end();
    await collect();
    expect([stream.closed > 0, clock.pendingTimers]).to.deep.equal([true, 0]);
  });

  it('throws the reason of its signal, even with events at hand', async () => {
    stream.write(line('a') + line('b'));
    const names: string[] = [];
    const reason = new Error('stop');
    try {
      for await (const event of watch) {
        names.push(event.object.metadata?.name ?? '');
        giveUp.abort(reason);
      }
      expect.fail('it should have thrown');
    } catch (error) {
      expect(error).to.equal(reason);
    }
    expect(names).to.deep.equal(['a']);
  });

  describe('when nothing comes', () => {
    async function silence(): Promise<{ readonly events: Promise<string[]> }> {
      const events = collect();
      await settle();
      return { events };
    }

    it('gives up after the time of silence', async () => {
      const { events } = await silence();
      await clock.advance(89_999);
      expect(stream.closed).to.equal(0);
      await clock.advance(1);
      expect(await events).to.deep.equal(['WATCH_BROKEN: the watch was silent for 90000 ms']);
    });

    it('counts from the last byte, also of an unfinished line', async () => {
      const { events } = await silence();
      for (let i = 0; i < 5; i++) {
        await clock.advance(60_000);
        stream.write(' ');
      }
      expect(stream.closed).to.equal(0);
      await clock.advance(90_000);
      expect((await events)[0]).to.contain('silent');
    });

    it('is patient while it holds the sender back itself', async () => {
      const { events } = await silence();
      stream.paused = true;
      await clock.advance(300_000);
      expect(stream.closed).to.equal(0);
      stream.paused = false;
      stream.write(line('a'));
      stream.end();
      expect(await events).to.deep.equal(['ADDED a']);
    });
  });

  it('is fast', async () => {
    const count = 30_000;
    const block = Buffer.from(Array.from({ length: 100 }, (_, i) => line(`pod-${i}`)).join(''));
    for (let i = 0; i < count / 100; i++) stream.write(block);
    stream.end();
    const before = process.cpuUsage();
    let seen = 0;
    let last: WatchEvent<KubeObject> | undefined;
    for await (const event of watch) {
      seen += 1;
      last = event;
    }
    expect([seen, last?.object.metadata?.name]).to.deep.equal([count, 'pod-99']);
    // CPU time, since tests share the machine with others.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).to.be.lessThan(1000);
  });
});

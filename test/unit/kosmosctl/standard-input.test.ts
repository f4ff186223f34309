import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { StandardInput } from '../../../src/kosmosctl/standard-input.js';

function inputOf(isTTY = false): {
  readonly stream: PassThrough;
  readonly modes: boolean[];
  readonly input: StandardInput;
} {
  const modes: boolean[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY, setRawMode: (on: boolean) => void modes.push(on) });
  const screen = Object.assign(new EventEmitter(), { columns: 80, rows: 24 });
  return { stream, modes, input: new StandardInput(stream as never, screen) };
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  return text;
}

describe('StandardInput', () => {
  it('gives everything up to the end', async () => {
    const { stream, input } = inputOf();
    const read = all(input.read(new AbortController().signal));
    for (const text of ['a', 'b', 'c']) stream.write(text);
    stream.end('d');
    expect(await read).to.equal('abcd');
  });

  it('stops when nobody wants it any more, and leaves the rest', async () => {
    const { stream, input } = inputOf();
    const stop = new AbortController();
    const read = all(input.read(stop.signal));
    stop.abort();
    expect(await read).to.equal('');
    stream.write('later');
    expect(stream.isPaused()).to.equal(true);
    expect(stream.listenerCount('data')).to.equal(0);
  });

  it('switches the terminal to single keys and back', () => {
    const { modes, input } = inputOf(true);
    expect(input.isTerminal).to.equal(true);
    input.raw()();
    expect(modes).to.deep.equal([true, false]);
  });

  it('knows its size and tells of a new one', () => {
    const screen = Object.assign(new EventEmitter(), { columns: 80, rows: 24 });
    const input = new StandardInput(new PassThrough() as never, screen);
    expect(input.size()).to.deep.equal({ columns: 80, rows: 24 });
    let told = 0;
    const stop = input.onResize(() => (told += 1));
    screen.emit('resize');
    stop();
    screen.emit('resize');
    expect(told).to.equal(1);
    expect(new StandardInput(new PassThrough() as never, new EventEmitter()).size()).to.equal(undefined);
  });
});

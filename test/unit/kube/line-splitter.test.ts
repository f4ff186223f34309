import { expect } from 'chai';
import fc from 'fast-check';
import { LineSplitter } from '../../../src/kube/line-splitter.js';

function split(chunks: readonly Buffer[]): { lines: string[]; unfinished: number } {
  const splitter = new LineSplitter();
  const lines: string[] = [];
  for (const chunk of chunks) {
    splitter.push(chunk);
    for (let line = splitter.next(); line !== undefined; line = splitter.next()) lines.push(line);
  }
  return { lines, unfinished: splitter.unfinishedBytes };
}

describe('LineSplitter', () => {
  it('finds several lines in one chunk', () => {
    expect(split([Buffer.from('a\nb\n\nc\n')])).to.deep.equal({ lines: ['a', 'b', '', 'c'], unfinished: 0 });
  });

  it('joins a line that comes in many chunks', () => {
    expect(split(['ab', 'c', '', 'd\ne'].map((text) => Buffer.from(text)))).to.deep.equal({
      lines: ['abcd'],
      unfinished: 1,
    });
  });

  it('has nothing to give before the first chunk', () => {
    expect(new LineSplitter().next()).to.equal(undefined);
  });

  it('gives back the same lines however the bytes are cut, in the middle of characters too', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 7 })), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const chunks: Buffer[] = [];
        let offset = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(offset, offset + cut));
          offset += cut;
        }
        chunks.push(bytes.subarray(offset));
        expect(split(chunks)).to.deep.equal({ lines, unfinished: 0 });
      }),
    );
  });

  it('joins a line of many chunks in no more than linear time', () => {
    const chunk = Buffer.alloc(16 * 1024, 0x61);
    const before = process.cpuUsage();
    const { lines } = split([...Array.from({ length: 1000 }, () => chunk), Buffer.from('\n')]);
    expect(lines[0]).to.have.length(1000 * chunk.length);
    expect(process.cpuUsage(before).user / 1000).to.be.lessThan(2000);
  });

  it('gives up on a line that does not end', () => {
    const chunk = Buffer.alloc(1024 * 1024, 0x61);
    expect(() => split(Array.from({ length: 65 }, () => chunk))).to.throw('longer than');
  });
});

import { expect } from 'chai';
import { Memory, samePartsAs } from '../../../../src/clusterlink/planner/memory.js';

describe('Memory', () => {
  it('keeps the first of equal values', () => {
    const memory = new Memory();
    const first = memory.keep('a', { n: 1 }, '1');
    expect(memory.keep('a', { n: 1 }, '1')).to.equal(first);
    expect(memory.keep('b', { n: 1 }, '1')).not.to.equal(first);
    expect(memory.keep('a', { n: 2 }, '2')).to.deep.equal({ n: 2 });
    expect(memory.keep('a', { n: 1 }, '1')).not.to.equal(first);
  });

  it('computes again when a part is another one', () => {
    const memory = new Memory();
    const part = {};
    const derive = (...parts: readonly unknown[]): object => memory.derive('a', parts, () => ({}));
    const first = derive(part, 1);
    expect(derive(part, 1)).to.equal(first);
    expect(derive({}, 1)).not.to.equal(first);
  });

  it('forgets what it is told to, and nothing else', () => {
    const memory = new Memory();
    const [east, eastern] = [{}, {}];
    memory.keep('east/a', east, '');
    memory.keep('eastern/a', eastern, '');
    memory.derive('east/b', [], () => east);
    memory.forget('east/');
    expect(memory.keep('east/a', {}, '')).not.to.equal(east);
    expect(memory.derive('east/b', [], () => ({}))).not.to.equal(east);
    expect(memory.keep('eastern/a', {}, '')).to.equal(eastern);
  });
});

describe('samePartsAs', () => {
  it('is about objects themselves', () => {
    const part = {};
    expect(samePartsAs([part, 'a'], [part, 'a'])).to.be.true;
    expect(samePartsAs([{}], [{}])).to.be.false;
    expect(samePartsAs([], [undefined])).to.be.false;
    expect(samePartsAs(undefined, [])).to.be.false;
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { KeyedFifo } from '../../../src/lib/keyed-fifo.js';

describe('KeyedFifo', () => {
  it('hands keys out in the order of their arrival, each once', () => {
    const fifo = new KeyedFifo<number>();
    fifo.push('a', 1);
    fifo.push('b', 2);
    fifo.push('a', 3);
    expect([fifo.shift(), fifo.shift(), fifo.shift()]).to.deep.equal([['a', 3], ['b', 2], undefined]);
  });

  it('goes on after it was empty', () => {
    const fifo = new KeyedFifo<number>();
    fifo.push('a', 1);
    fifo.shift();
    expect(fifo.shift()).to.equal(undefined);
    fifo.push('b', 2);
    expect(fifo.shift()).to.deep.equal(['b', 2]);
  });

  it('agrees with a list for any sequence of operations', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      fc.record({ op: fc.constant('push' as const), key }),
      fc.record({ op: fc.constant('remove' as const), key }),
      fc.record({ op: fc.constant('shift' as const), key }),
      fc.record({ op: fc.constant('clear' as const), key }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const fifo = new KeyedFifo<string>();
        let model: string[] = [];
        for (const { op, key: one } of steps) {
          if (op === 'push') {
            fifo.push(one, one);
            if (!model.includes(one)) model.push(one);
          } else if (op === 'remove') {
            expect(fifo.remove(one)).to.equal(model.includes(one) ? one : undefined);
            model = model.filter((other) => other !== one);
          } else if (op === 'shift') expect(fifo.shift()?.[0]).to.equal(model.shift());
          else {
            fifo.clear();
            model = [];
          }
          expect([fifo.size, fifo.has(one)]).to.deep.equal([model.length, model.includes(one)]);
        }
      }),
    );
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { DelayHeap } from '../../../src/lib/delay-heap.js';

function drain(heap: DelayHeap<number>, now = Infinity): string[] {
  const keys: string[] = [];
  for (let due = heap.takeDue(now); due !== undefined; due = heap.takeDue(now)) keys.push(due.key);
  return keys;
}

describe('DelayHeap', () => {
  it('hands out what is due, in order of time and then of arrival', () => {
    const heap = new DelayHeap<number>();
    for (const [key, dueAt] of [
      ['c', 30],
      ['a', 10],
      ['b', 10],
      ['d', 40],
    ] as const)
      heap.put(key, dueAt, 0);
    expect(heap.firstDueAt).to.equal(10);
    expect(drain(heap, 30)).to.deep.equal(['a', 'b', 'c']);
    expect([heap.size, heap.firstDueAt]).to.deep.equal([1, 40]);
  });

  it('keeps the earlier time and the newer value of a key', () => {
    const heap = new DelayHeap<number>();
    heap.put('a', 20, 1);
    heap.put('a', 50, 2);
    expect([heap.size, heap.firstDueAt, heap.get('a')]).to.deep.equal([1, 20, 2]);
    heap.put('a', 5, 3);
    expect(heap.takeDue(5)).to.include({ key: 'a', value: 3 });
    expect([heap.size, heap.get('a')]).to.deep.equal([0, undefined]);
  });

  it('is empty after clear', () => {
    const heap = new DelayHeap<number>();
    heap.put('a', 1, 1);
    heap.clear();
    expect([heap.size, heap.firstDueAt, heap.takeDue(9)]).to.deep.equal([0, undefined, undefined]);
  });

  it('agrees with a sorted list for any sequence of puts and takes', () => {
    const put = fc.record({ key: fc.integer({ min: 0, max: 15 }).map(String), dueAt: fc.integer({ min: 0, max: 50 }) });
    const take = fc.record({ now: fc.integer({ min: 0, max: 50 }) });
    fc.assert(
      fc.property(fc.array(fc.oneof(put, take), { maxLength: 200 }), (steps) => {
        const heap = new DelayHeap<number>();
        const model = new Map<string, { dueAt: number; order: number }>();
        let order = 0;
        for (const step of steps) {
          if ('key' in step) {
            const present = model.get(step.key);
            heap.put(step.key, step.dueAt, 0);
            model.set(step.key, {
              dueAt: Math.min(step.dueAt, present?.dueAt ?? Infinity),
              order: present?.order ?? order++,
            });
            continue;
          }
          const due = [...model]
            .filter(([, { dueAt }]) => dueAt <= step.now)
            .sort(([, left], [, right]) => left.dueAt - right.dueAt || left.order - right.order)
            .map(([key]) => key);
          due.forEach((key) => model.delete(key));
          expect(drain(heap, step.now)).to.deep.equal(due);
        }
        expect(heap.size).to.equal(model.size);
      }),
    );
  });
});

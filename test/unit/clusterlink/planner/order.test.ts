import { expect } from 'chai';
import fc from 'fast-check';
import { descending, keyed, mergeDescending, ordered } from '../../../../src/clusterlink/planner/order.js';

const names = fc.array(fc.constantFrom('vx-bridge', 'vx-bridge-6', 'vx-local', 'vx-local-6', 'a', 'b'));
const itemsOf = (list: readonly { readonly item: string }[]): readonly string[] => list.map(({ item }) => item);

describe('descending', () => {
  it('goes by the JSON of the items, in which a quote follows the name', () => {
    const items = ['vx-local', 'vx-bridge-6', 'vx-local-6', 'vx-bridge'].map((name) => keyed({ name }));
    expect(descending(items).map(({ item }) => item.name)).to.deep.equal([
      'vx-local-6',
      'vx-local',
      'vx-bridge-6',
      'vx-bridge',
    ]);
  });
});

describe('mergeDescending', () => {
  it('has what sorting all of it has', () => {
    fc.assert(
      fc.property(names, names, (left, right) => {
        const merged = mergeDescending(descending(left.map(keyed)), descending(right.map(keyed)));
        expect(itemsOf(merged)).to.deep.equal(itemsOf(descending([...left, ...right].map(keyed))));
      }),
    );
  });

  it('is the one list when the other is empty', () => {
    const list = [keyed('a')];
    expect(mergeDescending(list, [])).to.equal(list);
    expect(mergeDescending([], list)).to.deep.equal(list);
  });
});

describe('ordered', () => {
  it('has each item once', () => {
    fc.assert(
      fc.property(names, (items) => {
        expect(ordered(items)).to.deep.equal(
          [...new Set(items)].sort((a, b) => (keyed(a).key < keyed(b).key ? 1 : -1)),
        );
      }),
    );
  });
});

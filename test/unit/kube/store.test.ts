import { expect } from 'chai';
import fc from 'fast-check';
import { IndexedStore } from '../../../src/kube/store.js';

interface Thing {
  readonly node: string;
  readonly tags: readonly string[];
}

describe('IndexedStore', () => {
  const indexers = { byNode: (thing: Thing) => [thing.node], byTag: (thing: Thing) => thing.tags };
  let store: IndexedStore<Thing>;

  beforeEach(() => {
    store = new IndexedStore(indexers);
  });

  it('is a map', () => {
    const thing = { node: 'n', tags: [] };
    store.set('a', thing);
    expect(store.get('a')).to.equal(thing);
    expect([store.size, [...store.keys()], store.list()]).to.deep.equal([1, ['a'], [thing]]);
    store.delete('a');
    expect([store.get('a'), store.size]).to.deep.equal([undefined, 0]);
  });

  it('finds objects by the values of an index, of which an object may have several', () => {
    store.set('a', { node: 'n1', tags: ['x', 'y'] });
    store.set('b', { node: 'n2', tags: ['y'] });
    expect(store.byIndex('byTag', 'y')).to.have.length(2);
    expect(store.byIndex('byNode', 'n1')).to.deep.equal([store.get('a')]);
    expect(store.byIndex('byNode', 'n3')).to.deep.equal([]);
  });

  it('moves an object whose values change', () => {
    store.set('a', { node: 'n1', tags: [] });
    store.set('a', { node: 'n2', tags: [] });
    expect(store.byIndex('byNode', 'n1')).to.deep.equal([]);
    expect(store.byIndex('byNode', 'n2')).to.have.length(1);
  });

  it('refuses an index that it does not have', () => {
    expect(() => store.byIndex('byColour', 'red')).to.throw('byColour');
  });

  it('ignores the deletion of what is not there', () => {
    store.delete('a');
    expect(store.size).to.equal(0);
  });

  it('gives arrays that do not change when the store does', () => {
    store.set('a', { node: 'n', tags: ['x'] });
    const [all, some] = [store.list(), store.byIndex('byTag', 'x')];
    store.delete('a');
    expect([all.length, some.length]).to.deep.equal([1, 1]);
  });

  it('has indexes that agree with its objects after any changes', () => {
    const thing = fc.record({
      node: fc.constantFrom('n1', 'n2'),
      tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
    });
    const change = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(thing));
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const target = new IndexedStore<Thing>(indexers);
        for (const [key, value] of changes) {
          if (value) target.set(key, value);
          else target.delete(key);
        }
        for (const tag of ['x', 'y', 'z']) {
          const expected = target.list().filter((candidate) => candidate.tags.includes(tag));
          expect(target.byIndex('byTag', tag)).to.have.members(expected);
        }
      }),
    );
  });
});

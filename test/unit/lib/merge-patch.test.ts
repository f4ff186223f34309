import { expect } from 'chai';
import fc from 'fast-check';
import { definedOnly, diffMap } from '../../../src/lib/merge-patch.js';

const applied = (map: Record<string, string>, patch: Readonly<Record<string, string | null>> = {}): unknown => {
  const result = new Map(Object.entries(map));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, value);
  }
  return Object.fromEntries(result);
};

describe('diffMap', () => {
  it('has nothing to do for equal maps', () => {
    expect(diffMap({ a: '1' }, { a: '1' })).to.be.undefined;
    expect(diffMap()).to.be.undefined;
  });

  it('sets what is missing or different and removes what is too much', () => {
    expect(diffMap({ a: '1', b: '1', old: 'x' }, { a: '1', b: '2', c: '3' })).to.deep.equal({
      b: '2',
      c: '3',
      old: null,
    });
  });

  it('leaves keys alone that may not be removed', () => {
    expect(diffMap({ foreign: 'x', ours: 'y' }, {}, ['ours', 'gone already'])).to.deep.equal({ ours: null });
    expect(diffMap({ foreign: 'x' }, {}, [])).to.be.undefined;
  });

  it('never removes a key that is desired', () => {
    expect(diffMap({ a: '1' }, { a: '1' }, ['a'])).to.be.undefined;
  });

  it('converges: after the patch the maps are equal and there is nothing left to do', () => {
    const maps = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'));
    fc.assert(
      fc.property(maps, maps, (actual, desired) => {
        const after = applied(actual, diffMap(actual, desired)) as Record<string, string>;
        expect(after).to.deep.equal({ ...desired });
        expect(diffMap(after, desired)).to.be.undefined;
      }),
    );
  });
});

describe('definedOnly', () => {
  it('drops undefined values and keeps null, false and empty ones', () => {
    expect(definedOnly({ a: undefined, b: null, c: false, d: '' })).to.deep.equal({ b: null, c: false, d: '' });
  });

  it('gives undefined when nothing is left', () => {
    expect(definedOnly({ a: undefined })).to.be.undefined;
    expect(definedOnly({})).to.be.undefined;
  });
});

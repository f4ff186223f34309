import { expect } from 'chai';
import fc from 'fast-check';
import { changesBetween } from '../../../../src/kosmosctl/upgrade/changes.js';
import { unknownStoredVersions } from '../../../../src/kosmosctl/upgrade/plan.js';

const of = (more: object): object => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a' }, ...more });

describe('changesBetween', () => {
  const table: readonly (readonly [string, object, object, readonly object[]])[] = [
    ['a value', { spec: { replicas: 1 } }, { spec: { replicas: 2 } }, [{ path: 'spec.replicas', from: '1', to: '2' }]],
    ['a new field', { spec: {} }, { spec: { a: 'b' } }, [{ path: 'spec.a', from: undefined, to: 'b' }]],
    ['one that goes', { spec: { a: true } }, { spec: {} }, [{ path: 'spec.a', from: 'true', to: undefined }]],
    [
      'a member of a list of named things',
      { spec: { containers: [{ name: 'm', image: 'x:1' }, { name: 'n' }] } },
      { spec: { containers: [{ name: 'n' }, { name: 'm', image: 'x:2' }] } },
      [{ path: 'spec.containers.m.image', from: 'x:1', to: 'x:2' }],
    ],
    ['any other list', { args: ['a'] }, { args: ['a', 'b'] }, [{ path: 'args', from: '["a"]', to: '["a","b"]' }]],
    [
      'a field that is called like one of every object',
      { a: {} },
      { a: { valueOf: false } },
      [{ path: 'a.valueOf', from: undefined, to: 'false' }],
    ],
    ['a number that becomes a text', { a: 1 }, { a: '1' }, [{ path: 'a', from: '1', to: '1' }]],
  ];
  for (const [what, present, wanted, changes] of table) {
    it(`finds ${what}`, () => {
      expect(changesBetween(of(present), of(wanted))).to.deep.equal(changes);
    });
  }

  it('does not look at what API servers keep on their own', () => {
    const own = { uid: 'u', resourceVersion: '7', generation: 2, creationTimestamp: 't', managedFields: [] };
    const present = { metadata: { name: 'a', ...own }, status: { phase: 'Active' } };
    expect(changesBetween(present, { metadata: { name: 'a' } })).to.deep.equal([]);
  });

  it('cuts long values', () => {
    const [change] = changesBetween(of({ a: 'x'.repeat(200) }), of({ a: 'y' }));
    expect(change?.from).to.have.lengthOf(60).and.match(/…$/);
  });

  it('finds nothing between equal objects, and something between others', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const [a, b] = [one, other].map((value) => JSON.parse(JSON.stringify({ spec: { value } })) as object);
        expect(changesBetween(a!, structuredClone(a!))).to.deep.equal([]);
        const isSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        if (!isSame && !hasLists(one) && !hasLists(other)) {
          expect(changesBetween(a!, b!).length + Number(isEmptyPair(one, other))).to.be.greaterThan(0);
        }
      }),
    );
  });
});

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

const hasLists = (value: unknown): boolean => JSON.stringify(value).includes('[');
/** A map without members has no field that could differ. */
const isEmptyPair = (...values: unknown[]): boolean => values.some((value) => JSON.stringify(value).includes('{}'));

describe('unknownStoredVersions', () => {
  it('are those that the manifest does not have', () => {
    const wanted = { spec: { versions: [{ name: 'v1alpha1' }] } };
    const stored = (...storedVersions: string[]): object => ({ status: { storedVersions } });
    expect(unknownStoredVersions(stored('v1alpha1'), wanted)).to.deep.equal([]);
    expect(unknownStoredVersions(stored('v1alpha1', 'v1beta1'), wanted)).to.deep.equal(['v1beta1']);
    expect(unknownStoredVersions({}, wanted)).to.deep.equal([]);
  });
});

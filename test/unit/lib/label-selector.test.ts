import { expect } from 'chai';
import fc from 'fast-check';
import type { LabelSelector } from '../../../src/lib/label-selector.js';
import {
  EVERYTHING,
  isEmptySelector,
  labelSelectorProblems,
  matchesLabels,
  renderLabelSelector,
} from '../../../src/lib/label-selector.js';
import { matchesLabels as matchesQuery } from '../../support/selectors.js';

const where = (key: string, operator: string, values?: readonly string[]): LabelSelector => ({
  matchExpressions: [values === undefined ? { key, operator } : { key, operator, values }],
});

describe('matchesLabels', () => {
  const labels = { zone: 'a', gpu: '' };
  for (const [name, selector, expected] of [
    ['an empty selector', EVERYTHING, true],
    ['empty lists', { matchLabels: {}, matchExpressions: [] }, true],
    ['an equal label', { matchLabels: { zone: 'a' } }, true],
    ['another value', { matchLabels: { zone: 'b' } }, false],
    ['a missing label', { matchLabels: { region: 'a' } }, false],
    ['one of two that differs', { matchLabels: { zone: 'a', region: 'x' } }, false],
    ['an empty value', { matchLabels: { gpu: '' } }, true],
    ['In with the value', where('zone', 'In', ['b', 'a']), true],
    ['In without the value', where('zone', 'In', ['b']), false],
    ['In on a missing label', where('region', 'In', ['a']), false],
    ['NotIn with the value', where('zone', 'NotIn', ['a']), false],
    ['NotIn without the value', where('zone', 'NotIn', ['b']), true],
    ['NotIn on a missing label', where('region', 'NotIn', ['a']), true],
    ['Exists on an empty value', where('gpu', 'Exists'), true],
    ['Exists on a missing label', where('region', 'Exists'), false],
    ['DoesNotExist on a present label', where('zone', 'DoesNotExist'), false],
    ['DoesNotExist on a missing label', where('region', 'DoesNotExist'), true],
    ['an unknown operator', where('zone', 'Near', ['a']), false],
    ['a name that every object inherits', where('constructor', 'Exists'), false],
    ['labels and expressions together', { matchLabels: { zone: 'a' }, ...where('gpu', 'DoesNotExist') }, false],
  ] as const) {
    it(`says ${expected} for ${name}`, () => {
      expect(matchesLabels(selector, labels)).to.equal(expected);
    });
  }

  it('takes absent labels for none', () => {
    expect(matchesLabels(EVERYTHING, undefined)).to.be.true;
    expect(matchesLabels(where('zone', 'Exists'), undefined)).to.be.false;
  });
});

describe('isEmptySelector', () => {
  it('tells a selector with conditions from one without', () => {
    expect(isEmptySelector({})).to.be.true;
    expect(isEmptySelector({ matchLabels: {}, matchExpressions: [] })).to.be.true;
    expect(isEmptySelector({ matchLabels: { a: 'b' } })).to.be.false;
    expect(isEmptySelector(where('a', 'Exists'))).to.be.false;
  });
});

describe('labelSelectorProblems', () => {
  it('finds nothing wrong with a good selector', () => {
    const selector = {
      matchLabels: { 'kosmos.io/node': 'true', empty: '' },
      matchExpressions: [
        { key: 'zone', operator: 'In', values: ['a', 'b'] },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    };
    expect(labelSelectorProblems(selector, 'spec')).to.deep.equal([]);
  });

  it('names the path of everything that is wrong', () => {
    const selector = {
      matchLabels: { '-bad': 'x', good: 'no/slash' },
      matchExpressions: [
        { key: '', operator: 'In', values: [] },
        { key: 'a', operator: 'NotIn' },
        { key: 'b', operator: 'Exists', values: ['x'] },
        { key: 'c', operator: 'DoesNotExist', values: ['x'] },
        { key: 'd', operator: 'Equals', values: ['ok', 'not ok'] },
      ],
    };
    expect(labelSelectorProblems(selector, 'spec.selector')).to.deep.equal([
      'spec.selector.matchLabels: "-bad" is not a label key',
      'spec.selector.matchLabels[good]: "no/slash" is not a label value',
      'spec.selector.matchExpressions[0].key: "" is not a label key',
      'spec.selector.matchExpressions[0].values: In needs at least one value',
      'spec.selector.matchExpressions[1].values: NotIn needs at least one value',
      'spec.selector.matchExpressions[2].values: Exists takes no values',
      'spec.selector.matchExpressions[3].values: DoesNotExist takes no values',
      'spec.selector.matchExpressions[4].operator: "Equals" is none of In, NotIn, Exists, DoesNotExist',
      'spec.selector.matchExpressions[4].values: "not ok" is not a label value',
    ]);
  });
});

describe('renderLabelSelector', () => {
  for (const [selector, text] of [
    [EVERYTHING, ''],
    [{ matchLabels: { b: '2', a: '1' } }, 'a=1,b=2'],
    [{ matchLabels: { a: '' } }, 'a='],
    [where('zone', 'In', ['b', 'a']), 'zone in (a,b)'],
    [where('zone', 'In', ['b']), 'zone=b'],
    [where('zone', 'NotIn', ['b', 'a']), 'zone notin (a,b)'],
    [where('zone', 'Exists'), 'zone'],
    [where('zone', 'DoesNotExist'), '!zone'],
    [{ matchLabels: { z: '1' }, ...where('a', 'Exists') }, 'z=1,a'],
    [
      {
        matchExpressions: [
          { key: 'b', operator: 'Exists' },
          { key: 'a', operator: 'Exists' },
          { key: 'b', operator: 'NotIn', values: ['x'] },
        ],
      },
      'a,b,b notin (x)',
    ],
  ] as const) {
    it(`writes ${JSON.stringify(selector)} as "${text}"`, () => {
      expect(renderLabelSelector(selector)).to.equal(text);
    });
  }

  it('means in a query what the selector means', () => {
    const word = fc.constantFrom('a', 'b', 'c');
    const requirement = fc.oneof(
      fc.record({
        key: word,
        operator: fc.constantFrom('In', 'NotIn'),
        values: fc.uniqueArray(word, { minLength: 1 }),
      }),
      fc.record({ key: word, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
    );
    const selectors = fc.record({
      matchLabels: fc.dictionary(word, word, { maxKeys: 2 }),
      matchExpressions: fc.array(requirement, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(selectors, fc.dictionary(word, word), (selector, labels) => {
        expect(matchesQuery(labels, renderLabelSelector(selector))).to.equal(matchesLabels(selector, labels));
      }),
    );
  });
});

import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import * as names from '../../../src/apis/names.js';

const page = readFileSync('docs/reference/names.md', 'utf8');

/** Constants that are parts of other names, or values that the page shows in its text. */
const texts = Object.entries(names).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []));

describe('docs/reference/names.md', () => {
  it('is about all the names there are', () => {
    expect(texts.length).to.be.greaterThan(20);
  });

  for (const [name, value] of texts) {
    it(`explains ${name ?? ''}`, () => expect(page).to.include(value));
  }
});

import { expect } from 'chai';
import { ownValue } from '../../../src/lib/own-value.js';

describe('ownValue', () => {
  it('is what the object itself has, and nothing that all have', () => {
    const record = { a: 1, valueOf: 2 };
    expect(['a', 'valueOf', 'constructor', '__proto__', 'b'].map((key) => ownValue(record, key))).to.deep.equal([
      ...[1, 2],
      ...[undefined, undefined, undefined],
    ]);
  });
});

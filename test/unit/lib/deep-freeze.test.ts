import { expect } from 'chai';
import { deepFreeze } from '../../../src/lib/deep-freeze.js';

describe('deepFreeze', () => {
  it('freezes all that hangs below a value, and gives the value back', () => {
    const value = { a: { b: [{ c: 1 }] }, d: null };
    expect(deepFreeze(value)).to.equal(value);
    expect(() => {
      (value.a.b[0] as { c: number }).c = 2;
    }).to.throw(TypeError);
    expect(() => {
      value.a.b.push({ c: 2 });
    }).to.throw(TypeError);
  });

  it('gives plain values back', () => {
    expect(deepFreeze('x')).to.equal('x');
    expect(deepFreeze<unknown>(undefined)).to.equal(undefined);
  });

  it('ends on values that contain themselves', () => {
    const value: { self?: unknown } = {};
    value.self = value;
    expect(Object.isFrozen(deepFreeze(value))).to.equal(true);
  });
});

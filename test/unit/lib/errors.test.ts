import { expect } from 'chai';
import { errorMessage, FederationError, TerminalError } from '../../../src/lib/errors.js';

describe('FederationError', () => {
  it('carries its code, its cause and the advice to try again', () => {
    const cause = new Error('socket closed');
    const error = new FederationError('API_UNREACHABLE', 'no answer', { cause });
    expect(error).to.include({ name: 'FederationError', code: 'API_UNREACHABLE', retry: 'backoff', cause });
  });

  it('has no cause unless it was given one', () => {
    expect('cause' in new FederationError('INTERNAL', 'x')).to.equal(false);
  });
});

describe('TerminalError', () => {
  it('advises against trying again', () => {
    const error = new TerminalError('POD_REFUSED', 'no');
    expect(error).to.be.instanceOf(FederationError);
    expect(error).to.include({ name: 'TerminalError', retry: 'never' });
  });
});

describe('errorMessage', () => {
  for (const [what, error, expected] of [
    ['a plain error', new Error('a'), 'a'],
    ['an error with causes', new Error('a', { cause: new Error('b', { cause: 'c' }) }), 'a: b: c'],
    ['a text', 'thrown', 'thrown'],
    ['nothing', undefined, 'undefined'],
  ] as const) {
    it(`tells what ${what} says`, () => expect(errorMessage(error)).to.equal(expected));
  }
});

import { expect } from 'chai';
import { exitCodeFor, parseEvent, sumTallies, tallyEvents, type TestEvent } from '../../../hack/test/tally.js';

const pass: TestEvent = { kind: 'pass', title: 't', durationMs: 1 };
const fail: TestEvent = { kind: 'fail', title: 't', error: 'e' };
const end: TestEvent = { kind: 'end', passes: 0, failures: 0 };

describe('events of a test run', () => {
  it('reads every kind that counts', () => {
    expect(parseEvent('["start",{"total":3}]')).to.deep.equal({ kind: 'start', total: 3 });
    expect(parseEvent('["pass",{"fullTitle":"a b","duration":7}]')).to.deep.equal({
      kind: 'pass',
      title: 'a b',
      durationMs: 7,
    });
    expect(parseEvent('["fail",{"fullTitle":"a","err":"m","stack":"m\\n at"}]')).to.deep.equal({
      kind: 'fail',
      title: 'a',
      error: 'm\n at',
    });
    expect(parseEvent('["end",{"passes":2,"failures":1}]')).to.deep.equal({ kind: 'end', passes: 2, failures: 1 });
  });

  it('falls back on the message of a failure without a stack', () => {
    expect(parseEvent('["fail",{"fullTitle":"a","err":"m","stack":null}]')).to.include({ error: 'm' });
  });

  for (const line of [
    '',
    'hello',
    '["hello"',
    '["pass"]',
    '["pass",1]',
    '["pass","x"]',
    '{"pass":1}',
    '["other",{}]',
  ]) {
    it(`takes ${line === '' ? 'an empty line' : line} for something that a test printed`, () => {
      expect(parseEvent(line)).to.equal(undefined);
    });
  }
});

describe('tally of tests', () => {
  it('counts passed and failed tests', () => {
    expect(tallyEvents([pass, fail, pass, end], 1)).to.deep.equal({ passed: 2, failed: 1 });
  });

  it('counts a run that was cut off as a failure', () => {
    expect(tallyEvents([pass], null)).to.deep.equal({ passed: 1, failed: 1 });
    expect(tallyEvents([], 1)).to.deep.equal({ passed: 0, failed: 1 });
  });

  it('counts an exit code that no test explains as a failure', () => {
    expect(tallyEvents([pass, end], 1)).to.deep.equal({ passed: 1, failed: 1 });
  });

  it('adds up tiers', () => {
    expect(
      sumTallies([
        { passed: 1, failed: 2 },
        { passed: 3, failed: 0 },
      ]),
    ).to.deep.equal({ passed: 4, failed: 2 });
    expect(sumTallies([])).to.deep.equal({ passed: 0, failed: 0 });
  });

  it('succeeds only if something ran and nothing failed', () => {
    expect(exitCodeFor({ passed: 1, failed: 0 })).to.equal(0);
    expect(exitCodeFor({ passed: 1, failed: 1 })).to.equal(1);
    expect(exitCodeFor({ passed: 0, failed: 0 })).to.equal(1);
  });
});

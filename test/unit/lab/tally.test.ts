import { expect } from 'chai';
import { summaryLines } from '../../../hack/test/mocha.js';
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
  const failure = { title: 't', error: 'e' };

  it('counts passed tests and keeps what failed ones said', () => {
    expect(tallyEvents([pass, fail, pass, end], 1)).to.deep.equal({ passed: 2, failures: [failure] });
  });

  it('counts a run that was cut off as a failure', () => {
    const cutOff = { title: 'the run as a whole', error: 'it did not come to its end (exit code null)' };
    expect(tallyEvents([pass], null)).to.deep.equal({ passed: 1, failures: [cutOff] });
    expect(tallyEvents([fail], null)).to.deep.equal({ passed: 0, failures: [failure, cutOff] });
  });

  it('counts an exit code that no test explains as a failure', () => {
    const unexplained = { title: 'the run as a whole', error: 'exit code 7, which no test explains' };
    expect(tallyEvents([pass, end], 7)).to.deep.equal({ passed: 1, failures: [unexplained] });
  });

  it('adds up tiers', () => {
    const [one, other] = [
      { passed: 1, failures: [failure] },
      { passed: 3, failures: [] },
    ];
    expect(sumTallies([one, other])).to.deep.equal({ passed: 4, failures: [failure] });
    expect(sumTallies([])).to.deep.equal({ passed: 0, failures: [] });
  });

  it('succeeds only if something ran and nothing failed', () => {
    expect(exitCodeFor({ passed: 1, failures: [] })).to.equal(0);
    expect(exitCodeFor({ passed: 1, failures: [failure] })).to.equal(1);
    expect(exitCodeFor({ passed: 0, failures: [] })).to.equal(1);
  });

  it('ends with what failed, each with the run that it belongs to', () => {
    const runs = [
      { name: 'unit', seconds: 4, tally: { passed: 1, failures: [] } },
      { name: 'e2e/pods', seconds: 70, tally: { passed: 0, failures: [{ title: 'starts', error: 'no\n  at line' }] } },
    ];
    expect(summaryLines(runs, 71)).to.deep.equal([
      '71 s in all, by file: e2e/pods 70, unit 4',
      '  FAIL  e2e/pods: starts\n        no\n          at line',
    ]);
  });
});

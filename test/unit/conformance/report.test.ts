import { expect } from 'chai';
import { Progress, readReport, summaryOf } from '../../../hack/conformance/report.js';

/** A spec as ginkgo reports it. */
function spec(State: string, more: object = {}): object {
  return {
    ContainerHierarchyTexts: ['[sig-node] Pods'],
    ...{ LeafNodeType: 'It', LeafNodeText: 'should be updated', State, RunTime: 1_500_000_000, ...more },
  };
}

const report = (...SpecReports: object[]): string => JSON.stringify([{ SuiteDescription: 'suite', SpecReports }]);

describe('the report of a run of specs', () => {
  it('has what was run, with its time, and not what was left out', () => {
    expect(readReport(report(spec('passed'), spec('skipped'), spec('pending')))).to.deep.equal([
      { name: '[sig-node] Pods should be updated', passed: true, seconds: 1.5 },
    ]);
  });

  for (const state of ['failed', 'timedout', 'panicked', 'interrupted', 'aborted']) {
    it(`takes "${state}" for a failure`, () => {
      const [result] = readReport(report(spec(state, { Failure: { Message: 'no answer' } })));
      expect(result).to.include({ passed: false, message: 'no answer' });
    });
  }

  it('has what failed around the specs, and nothing of it that went well', () => {
    const around = { LeafNodeType: 'SynchronizedBeforeSuite', LeafNodeText: '', ContainerHierarchyTexts: null };
    expect(readReport(report(spec('passed', around)))).to.deep.equal([]);
    expect(readReport(report(spec('failed', around)))).to.deep.equal([
      { name: 'SynchronizedBeforeSuite', passed: false, seconds: 1.5 },
    ]);
  });

  it('may be of a suite in which nothing was run', () => {
    expect(readReport(JSON.stringify([{ SpecReports: null }, {}]))).to.deep.equal([]);
  });

  it('ends with the sum, after each failure with its reason', () => {
    const ok = { name: 'one', passed: true, seconds: 1 };
    expect(summaryOf([ok, ok])).to.deep.equal(['2 passed, 0 failed']);
    const lines = summaryOf([ok, { name: 'two', passed: false, seconds: 1, message: 'first\nsecond' }]);
    expect(lines).to.deep.equal(['FAIL  two\n      first\n      second', '1 passed, 1 failed']);
    expect(summaryOf([{ name: 'three', passed: false, seconds: 1 }])[0]).to.contain('no reason given');
  });
});

describe('the progress of specs', () => {
  function told(...lines: string[]): string[] {
    const said: string[] = [];
    const progress = new Progress('node', (line) => said.push(line));
    for (const line of lines) progress.line(line);
    return said;
  }

  it('is a line for each that ends', () => {
    const lines = told('[sig-node] Pods should be updated', '  STEP: creating the pod', '• [4.261 seconds]');
    expect(lines).to.deep.equal(['  ok    node: [sig-node] Pods should be updated (4 s)']);
  });

  it('tells failures from successes', () => {
    const lines = told('[sig-node] one', '• [FAILED] [46.330 seconds]', '[sig-node] two', '• [1.000 seconds]');
    expect(lines).to.deep.equal(['  FAIL  node: [sig-node] one (46 s)', '  ok    node: [sig-node] two (1 s)']);
  });

  it('is silent about what was left out', () => {
    expect(told('SSSSSS', 'S [SKIPPED] [0.001 seconds]', 'Ran 2 of 7579 Specs in 5.000 seconds')).to.deep.equal([]);
  });
});

import { expect } from 'chai';
import { clustersNeeded, lanesOf, planRuns, type TestRun } from '../../../hack/test/plan.js';

const FILES: Readonly<Record<string, readonly string[]>> = {
  unit: ['dist/test/unit/b.test.js', 'dist/test/unit/a.test.js'],
  integration: ['dist/test/integration/api.test.js', 'dist/test/integration/clustertree/outage.test.js'],
  netns: ['dist/test/netns/heal.test.js'],
  e2e: ['dist/test/e2e/pods.test.js'],
  soak: ['dist/test/soak/outage.test.js'],
};

function plan(asked: string): readonly TestRun[] {
  return planRuns(asked, (tier) => FILES[tier] ?? []);
}

function names(asked: string): readonly string[] {
  return plan(asked).map(({ name }) => name);
}

describe('plan of a test run', () => {
  it('runs unit tests in two processes, before all others', () => {
    const all = plan('all');
    const [one, other] = all.map(({ files }) => files);
    expect([one, other]).to.deep.equal([['dist/test/unit/a.test.js'], ['dist/test/unit/b.test.js']]);
    expect(all).to.have.length(6);
  });

  it('gives each other file a process, and begins with what takes longest', () => {
    expect(names('all').slice(2)).to.deep.equal(['integration/outage', 'e2e/pods', 'integration/api', 'netns/heal']);
  });

  it('gives files in a folder that shares a lab one process', () => {
    const files = ['b', 'a'].map((name) => `dist/test/e2e/one-member/${name}.test.js`);
    const runs = planRuns('e2e', () => [...files, 'dist/test/e2e/link.test.js']);
    expect(runs.map(({ name }) => name)).to.deep.equal(['e2e/one-member', 'e2e/link']);
    expect(runs[0]?.files).to.deep.equal([...files].reverse());
  });

  it('takes only the tier that was asked for', () => {
    expect(names('unit')).to.deep.equal(['unit-1', 'unit-2']);
    expect(names('integration')).to.deep.equal(['integration/outage', 'integration/api']);
    expect(names('netns')).to.deep.equal(['netns/heal']);
    expect(names('e2e')).to.deep.equal(['e2e/pods']);
    expect(names('soak')).to.deep.equal(['soak/outage']);
  });

  it('plans nothing for a tier that there is none of', () => {
    expect(names('other')).to.deep.equal([]);
  });

  it('gives unit tests little time, those on clusters more, and soak tests hours', () => {
    const limits = [...plan('all'), ...plan('soak')].map(({ name, testLimitMs }) => [name, testLimitMs]);
    expect(Object.fromEntries(limits)).to.include({ 'unit-1': 10_000, 'e2e/pods': 300_000, 'soak/outage': 300_000 });
    const [soak] = plan('soak');
    const [unit] = plan('unit');
    expect(soak?.limitMs).to.be.greaterThan(unit?.limitMs ?? Infinity);
  });

  it('knows what kind of clusters a tier boots', () => {
    expect(['unit', 'integration', 'netns', 'e2e', 'all', 'soak', 'other'].map(clustersNeeded)).to.deep.equal([
      'none',
      'light',
      'none',
      'full',
      'full',
      'full',
      'none',
    ]);
  });

  it('runs two at a time, more where there are more cores, and soak tests alone', () => {
    expect([1, 2, 3, 16].map((cores) => lanesOf('all', cores))).to.deep.equal([2, 2, 3, 4]);
    expect(lanesOf('soak', 16)).to.equal(1);
  });
});

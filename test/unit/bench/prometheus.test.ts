import { expect } from 'chai';
import { countBy, growth, samplesOf, sumOf } from '../../../hack/bench/prometheus.js';

const TEXT = `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200",verb="GET"} 12
requests_total{code="500",verb="GET"} 1
requests_total{code="200",verb="POST"} 3e+02
requests_total_more{code="200",verb="GET"} 99
up 1
weird{text="a \\"quoted\\" {brace}, and \\\\ back"} 4 1700000000000
broken{verb="GET"} many
`;

describe('samplesOf', () => {
  it('reads labels and values of one metric only', () => {
    expect(samplesOf(TEXT, 'requests_total')).to.deep.equal([
      { labels: { code: '200', verb: 'GET' }, value: 12 },
      { labels: { code: '500', verb: 'GET' }, value: 1 },
      { labels: { code: '200', verb: 'POST' }, value: 300 },
    ]);
  });

  it('reads metrics without labels', () => {
    expect(samplesOf(TEXT, 'up')).to.deep.equal([{ labels: {}, value: 1 }]);
  });

  it('reads escaped label values, and ignores a timestamp', () => {
    expect(samplesOf(TEXT, 'weird')).to.deep.equal([{ labels: { text: 'a "quoted" {brace}, and \\ back' }, value: 4 }]);
  });

  it('leaves out what is no number, and finds nothing where there is nothing', () => {
    expect(samplesOf(TEXT, 'broken')).to.deep.equal([]);
    expect(samplesOf(TEXT, 'absent')).to.deep.equal([]);
    expect(samplesOf('', 'up')).to.deep.equal([]);
  });
});

describe('countBy', () => {
  it('adds up by key', () => {
    expect(countBy(TEXT, 'requests_total', ({ verb }) => verb)).to.deep.equal({ GET: 13, POST: 300 });
  });

  it('leaves out what has no key', () => {
    const onlyErrors = countBy(TEXT, 'requests_total', ({ code }) => (code === '500' ? 'error' : undefined));
    expect(onlyErrors).to.deep.equal({ error: 1 });
  });
});

describe('growth', () => {
  for (const [what, before, after, expected] of [
    ['tells the difference', { a: 1 }, { a: 4 }, { a: 3 }],
    ['counts what is new from 0', {}, { a: 4 }, { a: 4 }],
    ['leaves out what stayed', { a: 4 }, { a: 4 }, {}],
    ['counts from 0 after a restart', { a: 100 }, { a: 7 }, { a: 7 }],
    ['forgets what vanished', { a: 100 }, {}, {}],
  ] as const) {
    it(what, () => {
      expect(growth(before, after)).to.deep.equal(expected);
    });
  }
});

describe('sumOf', () => {
  it('adds up by key', () => {
    expect(sumOf([{ a: 1, b: 2 }, { b: 3 }, {}])).to.deep.equal({ a: 1, b: 5 });
  });
});

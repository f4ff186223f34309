import { expect } from 'chai';
import fc from 'fast-check';
import {
  mergeFamilies,
  parseExposition,
  renderExposition,
  renderLabels,
  type SampleLabels,
} from '../../../../../src/clustertree/kubelet/stats/exposition.js';

const TEXT = `# HELP cpu_seconds_total [STABLE] Time
# TYPE cpu_seconds_total counter
cpu_seconds_total{pod="a",namespace="x"} 1.5 1700000000123
cpu_seconds_total 2e+06
# HELP latency_seconds How long
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 1
latency_seconds_bucket{le="+Inf"} 3
latency_seconds_sum 0.7
latency_seconds_count 3
# TYPE memory_bytes gauge
memory_bytes NaN
`;

describe('parseExposition', () => {
  it('reads families with their help and type, and samples with labels, value and time as they are written', () => {
    const [cpu, latency, memory] = parseExposition(TEXT);
    expect(cpu).to.deep.equal({
      name: 'cpu_seconds_total',
      type: 'counter',
      help: '[STABLE] Time',
      samples: [
        { name: 'cpu_seconds_total', labels: 'pod="a",namespace="x"', value: '1.5', timestampMs: 1_700_000_000_123 },
        { name: 'cpu_seconds_total', labels: '', value: '2e+06', timestampMs: undefined },
      ],
    });
    expect(latency?.samples.map(({ name }) => name)).to.deep.equal([
      ...['latency_seconds_bucket', 'latency_seconds_bucket', 'latency_seconds_sum', 'latency_seconds_count'],
    ]);
    expect(memory).to.deep.include({ type: 'gauge', help: '' });
  });

  it('writes the same text again', () => {
    expect(renderExposition(parseExposition(TEXT))).to.equal(TEXT);
  });

  it('gives labels without their escapes to who relabels, and leaves out what that one does not want', () => {
    const seen: SampleLabels[] = [];
    const text = 'a{path="C:\\\\x",say="\\"hi\\"\\n"} 1\nb 2\n';
    const families = parseExposition(text, (labels, written) => {
      seen.push(labels);
      return written === '' ? undefined : 'new="label"';
    });
    expect(seen).to.deep.equal([{ path: 'C:\\x', say: '"hi"\n' }, {}]);
    expect(families).to.have.length(1);
    expect(families[0]?.samples[0]?.labels).to.equal('new="label"');
  });

  it('is not fooled by a value that looks like labels', () => {
    let pod: string | undefined;
    parseExposition('a{image="x\\",pod=\\"evil",pod="good"} 1\n', (labels, written) => {
      pod = labels['pod'];
      return written;
    });
    expect(pod).to.equal('good');
  });

  for (const line of ['a{pod="x" 1', 'a{pod=x} 1', '{} 1', 'a', 'a{}', 'a{pod="x"}', '# what else', '']) {
    it(`leaves out a line that can't be read: ${JSON.stringify(line)}`, () => {
      expect(parseExposition(`${line}\nb 1\n`).map(({ name }) => name)).to.deep.equal(['b']);
    });
  }

  it('takes a sample without a TYPE before it for a family of its own', () => {
    const families = parseExposition('# TYPE a counter\na 1\na_bucket_like 2\nb 3\n');
    expect(families.map(({ name, type }) => `${name} ${type}`)).to.deep.equal([
      'a counter',
      'a_bucket_like untyped',
      'b untyped',
    ]);
  });

  it('leaves out families of which nothing is kept', () => {
    expect(parseExposition('# HELP a Text\n# TYPE a counter\n')).to.deep.equal([]);
  });

  it('reads back whatever label values are written', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), (first, second) => {
        let found: SampleLabels | undefined;
        const text = `a{${renderLabels({ first, second })}} 1\n`;
        // A carriage return is no end of a line for the format, nor for us.
        parseExposition(text, (labels, written) => {
          found = labels;
          return written;
        });
        expect(found).to.deep.equal({ first, second });
      }),
    );
  });
});

describe('mergeFamilies', () => {
  it('puts the samples of one family together, whoever has it, in order of the first appearance', () => {
    const one = parseExposition('# HELP a First\n# TYPE a counter\na{n="1"} 1\nb 1\n');
    const two = parseExposition('c 1\n# HELP a Second\n# TYPE a counter\na{n="2"} 2\n');
    expect(renderExposition(mergeFamilies([one, two]))).to.equal(
      '# HELP a First\n# TYPE a counter\na{n="1"} 1\na{n="2"} 2\n# TYPE b untyped\nb 1\n# TYPE c untyped\nc 1\n',
    );
  });

  it('leaves its input alone', () => {
    const one = parseExposition('a 1\n');
    mergeFamilies([one, one]);
    expect(one[0]?.samples).to.have.length(1);
  });
});

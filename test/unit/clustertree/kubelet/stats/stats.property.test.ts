import { expect } from 'chai';
import fc from 'fast-check';
import type { Summary } from '../../../../../src/apis/stats.js';
import { CounterSum } from '../../../../../src/clustertree/kubelet/stats/counter-sum.js';
import {
  mergeFamilies,
  parseExposition,
  renderExposition,
  renderLabels,
  type MetricFamily,
} from '../../../../../src/clustertree/kubelet/stats/exposition.js';
import { podSeries } from '../../../../../src/clustertree/kubelet/stats/pod-series.js';
import { virtualSummary } from '../../../../../src/clustertree/kubelet/stats/summary.js';
import { statsPod, statsPods } from '../../../../support/stats.js';

/** A pod that a node knows: ours, or somebody else's, perhaps of the same name. */
interface KnownPod {
  readonly name: string;
  readonly node: string;
  readonly ours: boolean;
}

const NODES = ['n1', 'n2'];

const knownPods = fc.uniqueArray(
  fc.record<KnownPod>({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    node: fc.constantFrom(...NODES),
    ours: fc.boolean(),
  }),
  // A namespace has one pod of a name, but a node may still know an earlier one.
  { selector: ({ name, ours }) => `${name} ${String(ours)}`, maxLength: 8 },
);

const uidOf = ({ name, ours }: KnownPod): string => (ours ? `member-${name}` : `foreign-${name}`);
const ownOf = (all: readonly KnownPod[]): ReturnType<typeof statsPods> =>
  statsPods(...all.filter(({ ours }) => ours).map(({ name, node }) => statsPod(name, node)));

function cadvisorText(all: readonly KnownPod[], node: string): string {
  const lines = all
    .filter((pod) => pod.node === node)
    .map((pod) => {
      const labels = { container: 'app', id: `/kubepods/pod${uidOf(pod)}/x`, namespace: 'shop', pod: pod.name };
      return `cpu_seconds_total{${renderLabels(labels)}} 1 1000`;
    });
  return ['# TYPE cpu_seconds_total counter', ...lines, ''].join('\n');
}

const family = fc
  .record({
    name: fc.stringMatching(/^[a-z_]{1,8}_total$/),
    help: fc.stringMatching(/^[ -~]{0,20}$/).map((text) => text.trim()),
    samples: fc.array(
      fc.record({
        labels: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.string({ unit: 'binary' }), { maxKeys: 3 }),
        value: fc.oneof(fc.double().map(String), fc.constantFrom('NaN', '+Inf', '-Inf', '1e+06')),
        timestampMs: fc.option(fc.integer(), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(({ name, help, samples }): MetricFamily => ({
    ...{ name, help, type: 'counter' },
    samples: samples.map(({ labels, ...rest }) => ({ name, labels: renderLabels(labels), ...rest })),
  }));

const families = fc.uniqueArray(family, { selector: ({ name }) => name, maxLength: 4 });

describe('figures of virtual nodes', () => {
  it('are written so that they read back the same', () => {
    fc.assert(
      fc.property(families, (written) => {
        expect(parseExposition(renderExposition(written))).to.deep.equal(written);
      }),
    );
  });

  it('stand together by family, and none is lost, however many nodes have them', () => {
    fc.assert(
      fc.property(fc.array(families, { maxLength: 4 }), (sources) => {
        const merged = mergeFamilies(sources);
        const count = (all: readonly MetricFamily[]): number =>
          all.reduce((sum, { samples }) => sum + samples.length, 0);
        expect(new Set(merged.map(({ name }) => name)).size).to.equal(merged.length);
        expect(count(merged)).to.equal(sources.reduce((sum, source) => sum + count(source), 0));
        expect(parseExposition(renderExposition(merged))).to.deep.equal(merged);
      }),
    );
  });

  it('are about own pods only, each once and under its UID in the host, whatever nodes say', () => {
    fc.assert(
      fc.property(knownPods, (all) => {
        const pods = ownOf(all);
        const text = renderExposition(
          mergeFamilies(NODES.map((node) => podSeries(cadvisorText(all, node), node, pods).families)),
        );
        const lines = text.split('\n').filter((line) => line.startsWith('cpu'));
        const expected = all.filter(({ ours }) => ours).map(({ name }) => `/kubepods/podhost-${name}/x`);
        expect(lines.map((line) => /id="([^"]*)"/.exec(line)?.[1]).sort()).to.deep.equal(expected.sort());
        expect(text).not.to.contain('member-').and.not.to.contain('foreign-');
      }),
    );
  });

  it('are about own pods only in the Summary too', () => {
    fc.assert(
      fc.property(knownPods, (all) => {
        const summaries = new Map(
          NODES.map((nodeName): [string, Summary] => {
            const known = all.filter(({ node }) => node === nodeName);
            const references = known.map((pod) => ({ namespace: 'shop', name: pod.name, uid: uidOf(pod) }));
            return [nodeName, { node: { nodeName }, pods: references.map((podRef) => ({ podRef })) }];
          }),
        );
        const pods = ownOf(all);
        const found = virtualSummary({ nodeName: 'v', summaries, behind: NODES, pods, cpu: new CounterSum() });
        const expected = all.filter(({ ours }) => ours).map(({ name }) => `host-${name}`);
        expect(found.pods.map(({ podRef }) => podRef.uid)).to.deep.equal(expected.sort());
      }),
    );
  });

  it('can be looked for in any text without harm', () => {
    const pods = statsPods(statsPod('a'));
    const piece = fc.constantFrom(
      'a',
      '{',
      '}',
      '"',
      '\\',
      ',',
      '=',
      'namespace="shop"',
      'pod="a"',
      ' ',
      '1',
      '\n',
      '#',
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (given) => {
        for (const { samples } of podSeries(given, 'n1', pods).families) {
          for (const { labels } of samples) expect(labels).to.contain('pod="a"').and.contain('namespace="shop"');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

import { expect } from 'chai';
import { AGENT_METRICS } from '../../../../src/clusterlink/agent/agent-metrics.js';
import { renderInstallation } from '../../../../src/kosmosctl/manifests/installation.js';
import { ALERTS } from '../../../../src/kosmosctl/manifests/monitoring.js';
import { DEFAULT_VALUES } from '../../../../src/kosmosctl/manifests/values.js';
import { METRICS, type MetricSpec } from '../../../../src/runtime/metric-table.js';

const SPECS: Readonly<Record<string, MetricSpec>> = { ...METRICS, ...AGENT_METRICS };
/** Labels that Prometheus adds to what it scrapes. */
const SCRAPED = ['instance', 'pod', 'namespace'];

interface Use {
  readonly metric: string;
  /** What stands in braces behind it. */
  readonly labels: readonly string[];
  readonly ranged: boolean;
}

function usesOf(expr: string): readonly Use[] {
  return [...expr.matchAll(/(kosmos_\w+)(?:\{([^}]*)\})?(\[\w+\])?/g)].map(([, metric = '', braces = '', range]) => ({
    metric,
    labels: [...braces.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"[^"]*"/g)].map(([, label = '']) => label),
    ranged: range !== undefined,
  }));
}

function listsOf(expr: string, word: string): readonly string[] {
  return [...expr.matchAll(new RegExp(`\\b${word} \\(([^)]*)\\)`, 'g'))].flatMap(([, list = '']) => list.split(/,\s*/));
}

function names(values: object): readonly string[] {
  const manifests = renderInstallation({ ...DEFAULT_VALUES, ...values }, { namespace: 'n', version: '1' });
  return manifests.filter(({ kind }) => kind === 'PodMonitor').map(({ metadata }) => metadata?.name ?? '');
}

describe('the alerts', () => {
  for (const { alert, expr, for: duration, summary } of ALERTS) {
    describe(alert, () => {
      const uses = usesOf(expr);

      it('is on figures that there are, with labels that they have', () => {
        expect(uses).not.to.be.empty;
        for (const { metric, labels } of uses) {
          expect(SPECS, metric).to.have.property(metric);
          expect(SPECS[metric]?.labels, metric).to.include.members([...labels]);
        }
      });

      it('takes rates of counters, and counters by their rates alone', () => {
        for (const { metric, ranged } of uses) {
          const isAverage = expr.includes(`avg_over_time(${metric}`);
          expect(ranged && !isAverage, metric).to.equal(SPECS[metric]?.type === 'counter');
        }
      });

      it('keeps the labels that it groups by and that its summary names', () => {
        const known = [...SCRAPED, ...uses.flatMap(({ metric }) => SPECS[metric]?.labels ?? [])];
        const kept = listsOf(expr, 'by');
        const named = [...summary.matchAll(/\{\{ \$labels\.(\w+) \}\}/g)].map(([, label = '']) => label);
        expect(known).to.include.members([...kept]);
        expect(kept).to.include.members(named);
      });

      it('is well formed', () => {
        for (const [open, close] of ['()', '{}', '[]'].map((pair) => pair.split(''))) {
          expect(expr.split(open ?? ''), open).to.have.length(expr.split(close ?? '').length);
        }
        expect(duration).to.match(/^\d+[mh]$/);
        expect(summary).to.match(/\.$/);
      });
    });
  }

  it('have names of their own', () => {
    expect(new Set(ALERTS.map(({ alert }) => alert)).size).to.equal(ALERTS.length);
  });
});

describe('pod monitors', () => {
  const { clusterLink } = DEFAULT_VALUES;

  it('are made on demand', () => expect(names({})).to.deep.equal([]));

  it('look at managers, and at agents where there are some', () => {
    const monitors = (enabled: boolean): readonly string[] =>
      names({ podMonitor: true, clusterLink: { ...clusterLink, enabled } });
    expect(monitors(false)).to.deep.equal(['kosmos-manager']);
    expect(monitors(true)).to.deep.equal(['kosmos-manager', 'kosmos-agent']);
  });
});

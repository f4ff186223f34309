import { CounterSum, meanTime } from './counter-sum.js';
import { parseExposition, type MetricFamily, type Sample } from './exposition.js';

/** Where the sums of a virtual node's counters are kept, by name of the metric. */
export type CounterSums = (metric: string) => CounterSum;

/** Makes sums as they are asked for. */
export function createCounterSums(): CounterSums {
  const sums = new Map<string, CounterSum>();
  return (metric) => {
    const sum = sums.get(metric) ?? new CounterSum();
    sums.set(metric, sum);
    return sum;
  };
}

const SCRAPE_ERROR = /^(?:resource_)?scrape_error$/;

/** What a node exposes about itself. */
export interface NodeText {
  /** Series without labels, those about the scrape excepted. */
  readonly families: readonly MetricFamily[];
  /** Whether the node says that it could not read all of its own figures. */
  readonly failed: boolean;
}

/** Picks out of `/metrics/resource` what is about the node. */
export function parseNodeText(text: string): NodeText {
  const all = parseExposition(text, (_labels, written) => (written === '' ? '' : undefined));
  return {
    families: all.filter(({ name }) => !SCRAPE_ERROR.test(name)),
    failed: all.some(({ name, samples }) => SCRAPE_ERROR.test(name) && Number(samples[0]?.value) !== 0),
  };
}

/**
 * The series of the nodes behind a virtual node added up into those of the virtual node. A gauge is the plain sum of the
 * nodes that answered.
 *
 * @param nodes what each node exposes about itself, by its name; one round for the sums of counters.
 */
export function nodeSeries(
  nodes: ReadonlyMap<string, readonly MetricFamily[]>,
  sums: CounterSums,
): readonly MetricFamily[] {
  const byMetric = new Map<string, { readonly family: MetricFamily; readonly samples: Map<string, Sample> }>();
  for (const [node, families] of nodes) {
    for (const family of families) {
      const metric = byMetric.get(family.name) ?? { family, samples: new Map<string, Sample>() };
      byMetric.set(family.name, metric);
      for (const sample of family.samples) metric.samples.set(node, sample);
    }
  }
  return [...byMetric.values()].map(({ family, samples }) => summed(family, samples, sums));
}

function summed(family: MetricFamily, samples: ReadonlyMap<string, Sample>, sums: CounterSums): MetricFamily {
  const readings = new Map([...samples].map(([node, { value }]) => [node, Number(value)]));
  const value = family.type === 'counter' ? sums(family.name).add(readings) : total(readings.values());
  const timestampMs = meanTime([...samples.values()].flatMap((sample) => sample.timestampMs ?? []));
  return { ...family, samples: [{ name: family.name, labels: '', value: String(value), timestampMs }] };
}

/** Adds up numbers. */
export function total(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

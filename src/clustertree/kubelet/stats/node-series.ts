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

/**
 * The series of the nodes behind a virtual node, which are those without labels, added up into those of the virtual
 * node. A gauge is the plain sum of the nodes that answered.
 *
 * @param texts what each node exposes, by its name; one round for the sums of counters.
 */
export function nodeSeries(texts: ReadonlyMap<string, string>, sums: CounterSums): readonly MetricFamily[] {
  const byMetric = new Map<string, { readonly family: MetricFamily; readonly samples: Map<string, Sample> }>();
  for (const [node, text] of texts) {
    for (const family of parseExposition(text, withoutLabels)) {
      const [sample] = family.samples;
      if (sample === undefined || SCRAPE_ERROR.test(family.name)) continue;
      const metric = byMetric.get(family.name) ?? { family, samples: new Map<string, Sample>() };
      byMetric.set(family.name, metric);
      metric.samples.set(node, sample);
    }
  }
  return [...byMetric.values()].map(({ family, samples }) => summed(family, samples, sums));
}

function withoutLabels(_labels: unknown, written: string): string | undefined {
  return written === '' ? '' : undefined;
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

/** Whether a node says that it could not read all of its own figures. */
export function hasScrapeError(text: string): boolean {
  const families = parseExposition(text, withoutLabels);
  return families.some(({ name, samples }) => SCRAPE_ERROR.test(name) && Number(samples[0]?.value) !== 0);
}

/** One line of the Prometheus text format. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '\\': '\\', '"': '"' };

/** All samples of one metric. Lines that can't be read are left out. */
export function samplesOf(text: string, metric: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith(metric)) return [];
    const rest = line.slice(metric.length);
    if (rest[0] !== '{' && rest[0] !== ' ') return [];
    const end = rest[0] === '{' ? rest.lastIndexOf('}') + 1 : 0;
    const value = Number(rest.slice(end).trim().split(' ')[0]);
    return Number.isNaN(value) ? [] : [{ labels: labelsOf(rest.slice(0, end)), value }];
  });
}

function labelsOf(text: string): Record<string, string> {
  const unescape = (value: string): string => value.replace(/\\(.)/g, (_all, char: string) => ESCAPES[char] ?? char);
  return Object.fromEntries([...text.matchAll(LABEL)].map((match) => [match[1] ?? '', unescape(match[2] ?? '')]));
}

/** Sums of counters by a key that is made of their labels; samples without a key are left out. */
export type Counts = Readonly<Record<string, number>>;

/** Adds up the samples of one metric by key. */
export function countBy(
  text: string,
  metric: string,
  keyOf: (labels: Readonly<Record<string, string>>) => string | undefined,
): Counts {
  const counts: Record<string, number> = {};
  for (const { labels, value } of samplesOf(text, metric)) {
    const key = keyOf(labels);
    if (key !== undefined) counts[key] = (counts[key] ?? 0) + value;
  }
  return counts;
}

/** How much each counter grew; those that didn't are left out. A counter that went back was reset to 0 in between. */
export function growth(before: Counts, after: Counts): Counts {
  const grown = Object.entries(after).map(([key, value]): [string, number] => {
    const old = before[key] ?? 0;
    return [key, value < old ? value : value - old];
  });
  return Object.fromEntries(grown.filter(([, value]) => value > 0));
}

/** The sum of several counts. */
export function sumOf(all: readonly Counts[]): Counts {
  const sum: Record<string, number> = {};
  for (const counts of all) for (const [key, value] of Object.entries(counts)) sum[key] = (sum[key] ?? 0) + value;
  return sum;
}

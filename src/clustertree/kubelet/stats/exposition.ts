/** The labels of a sample; names that are not there are undefined. */
export type SampleLabels = Readonly<Record<string, string | undefined>>;

/** One line of the Prometheus text format. Labels and value stay as they were written, so that nothing is lost. */
export interface Sample {
  /** With the suffix that histograms and summaries add to their family's name. */
  readonly name: string;
  /** What stands between the braces; empty when there are none. */
  readonly labels: string;
  readonly value: string;
  /** Milliseconds since the epoch by the clock of whoever measured; undefined when the line has no timestamp. */
  readonly timestampMs: number | undefined;
}

/** All samples of one metric, which the format wants to stand together. */
export interface MetricFamily {
  readonly name: string;
  /** `counter`, `gauge`, `histogram`, `summary` or `untyped`. */
  readonly type: string;
  /** Escaped as on the wire. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Gives the labels that a sample shall have, as they are to be written; undefined leaves the sample out. */
export type Relabel = (labels: SampleLabels, written: string) => string | undefined;

interface OpenFamily {
  readonly name: string;
  type: string;
  help: string;
  readonly samples: Sample[];
}

const COMMENT = /^# (HELP|TYPE) (\S+) ?(.*)$/;
const NAME = /^[a-zA-Z_:][\w:]*/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/y;
const VALUE = /^\s+(\S+)(?:\s+(-?\d+))?\s*$/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '\\': '\\', '"': '"' };
const NO_LABELS: SampleLabels = {};
const asWritten: Relabel = (_labels, written) => written;

/**
 * Reads the text format 0.0.4 of Prometheus. Families without any sample that is kept are left out, and so are lines
 * that can't be read: what a newer kubelet may add must not hide what is known.
 */
export function parseExposition(text: string, relabel: Relabel = asWritten): readonly MetricFamily[] {
  const families = new Map<string, OpenFamily>();
  let current: OpenFamily | undefined;
  for (const line of text.split('\n')) {
    const comment = COMMENT.exec(line);
    if (comment !== null) {
      current = familyOf(families, comment[2] ?? '');
      if (comment[1] === 'TYPE') current.type = (comment[3] ?? '').trim();
      else current.help = comment[3] ?? '';
      continue;
    }
    const sample = parseSample(line, relabel);
    if (sample === undefined) continue;
    if (current === undefined || !belongsTo(sample.name, current)) current = familyOf(families, sample.name);
    current.samples.push(sample);
  }
  return [...families.values()].filter(({ samples }) => samples.length > 0);
}

function familyOf(families: Map<string, OpenFamily>, name: string): OpenFamily {
  const family = families.get(name) ?? { name, type: 'untyped', help: '', samples: [] };
  families.set(name, family);
  return family;
}

function belongsTo(sample: string, family: OpenFamily): boolean {
  if (sample === family.name) return true;
  if (!sample.startsWith(`${family.name}_`)) return false;
  return ['bucket', 'sum', 'count'].includes(sample.slice(family.name.length + 1));
}

function parseSample(line: string, relabel: Relabel): Sample | undefined {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) return undefined;
  const parsed =
    line[name.length] === '{' ? parseLabels(line, name.length + 1) : { labels: NO_LABELS, end: name.length };
  if (parsed === undefined) return undefined;
  const labels = relabel(parsed.labels, line.slice(name.length + 1, Math.max(parsed.end - 1, name.length + 1)));
  if (labels === undefined) return undefined;
  const [, value, timestamp] = VALUE.exec(line.slice(parsed.end)) ?? [];
  if (value === undefined) return undefined;
  return { name, labels, value, timestampMs: timestamp === undefined ? undefined : Number(timestamp) };
}

/** Reads label by label, since a value may hold whatever looks like a label. `end` is behind the closing brace. */
function parseLabels(line: string, start: number): { readonly labels: SampleLabels; readonly end: number } | undefined {
  const labels: Record<string, string> = {};
  let end = start;
  while (line[end] !== '}') {
    LABEL.lastIndex = end;
    const match = LABEL.exec(line);
    if (match === null) return undefined;
    labels[match[1] ?? ''] = unescapeLabel(match[2] ?? '');
    end = LABEL.lastIndex;
    if (line[end] === ',') end += 1;
  }
  return { labels, end: end + 1 };
}

function unescapeLabel(value: string): string {
  return value.includes('\\') ? value.replace(/\\(.)/g, (_all, char: string) => ESCAPES[char] ?? char) : value;
}

/** Labels in the text format, escaped; to stand between the braces. */
export function renderLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`)
    .join(',');
}

/** Puts families of several sources together by name; type and help are those of the first that has the family. */
export function mergeFamilies(sources: Iterable<readonly MetricFamily[]>): readonly MetricFamily[] {
  const merged = new Map<string, OpenFamily>();
  for (const families of sources) {
    for (const { name, type, help, samples } of families) {
      const family = merged.get(name) ?? { name, type, help, samples: [] };
      merged.set(name, family);
      for (const sample of samples) family.samples.push(sample);
    }
  }
  return [...merged.values()];
}

/** Writes families in the text format 0.0.4 of Prometheus. */
export function renderExposition(families: Iterable<MetricFamily>): string {
  const lines: string[] = [];
  for (const { name, type, help, samples } of families) {
    if (help !== '') lines.push(`# HELP ${name} ${help}`);
    lines.push(`# TYPE ${name} ${type}`);
    for (const sample of samples) lines.push(renderSample(sample));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function renderSample({ name, labels, value, timestampMs }: Sample): string {
  const time = timestampMs === undefined ? '' : ` ${timestampMs}`;
  return `${name}${labels === '' ? '' : `{${labels}}`} ${value}${time}`;
}

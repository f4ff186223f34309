import { renderTable } from '../output/table.js';
import { cellsOf, type Cell } from './cell.js';
import { NETWORK_CLASSES, type NetworkClass, type TrialResult } from './trial.js';

/** How all of one class went from one cluster to another, in one family. */
export interface Tally {
  readonly ok: number;
  readonly total: number;
}

/** One row of the overview. */
export interface LinkSummary {
  readonly from: string;
  readonly to: string;
  /** `ipv4` or `ipv6`; absent for DNS. */
  readonly family?: string;
  readonly classes: Readonly<Partial<Record<NetworkClass, Tally>>>;
  /** Bytes of the largest packet that gets through everywhere. */
  readonly mtu?: number;
  /** Milliseconds, by UDP. */
  readonly rtt?: { readonly average: number; readonly highest: number };
}

/** From each cluster to each cluster, in each family. */
export function summarize(results: readonly TrialResult[]): readonly LinkSummary[] {
  const rows = new Map<string, Cell[]>();
  for (const cell of cellsOf(results)) {
    const key = JSON.stringify([cell.from.cluster, cell.to.cluster, cell.family]);
    const row = rows.get(key);
    if (row === undefined) rows.set(key, [cell]);
    else row.push(cell);
  }
  return [...rows.values()].map(summaryOf);
}

function summaryOf(cells: readonly Cell[]): LinkSummary {
  const classes: Partial<Record<NetworkClass, Tally>> = {};
  for (const cls of NETWORK_CLASSES) {
    const own = cells.filter((cell) => cell.cls === cls);
    if (own.length > 0) classes[cls] = { ok: own.filter(({ outcome }) => outcome.ok).length, total: own.length };
  }
  const sizes = cells.flatMap(({ outcome }) => outcome.bytes ?? []);
  const times = cells.flatMap(({ cls, outcome }) => (cls === 'udp' ? (outcome.ms ?? []) : []));
  const [first] = cells;
  return {
    from: first?.from.cluster ?? '',
    to: first?.to.cluster ?? '',
    ...(first?.family !== undefined && { family: first.family }),
    classes,
    ...(sizes.length > 0 && { mtu: Math.min(...sizes) }),
    ...(times.length > 0 && { rtt: { average: average(times), highest: Math.max(...times) } }),
  };
}

function average(numbers: readonly number[]): number {
  return Math.round((numbers.reduce((sum, one) => sum + one, 0) / numbers.length) * 100) / 100;
}

const TALLIED: readonly NetworkClass[] = ['icmp', 'tcp', 'udp', 'service', 'dns'];

/** The overview as a table. */
export function renderSummary(rows: readonly LinkSummary[]): string {
  const head = ['FROM', 'TO', 'FAMILY', ...TALLIED.map((cls) => cls.toUpperCase()), 'MTU', 'RTT AVG/MAX'];
  return renderTable(
    head,
    rows.map(({ from, to, family = '-', classes, mtu, rtt }) => [
      ...[from, to, family],
      ...TALLIED.map((cls) => tallyText(classes[cls])),
      mtu === undefined ? '-' : String(mtu),
      rtt === undefined ? '-' : `${rtt.average}/${rtt.highest} ms`,
    ]),
  );
}

function tallyText(tally: Tally | undefined): string {
  return tally === undefined ? '-' : `${tally.ok}/${tally.total}`;
}

/** Every single result, failures first. */
export function renderResults(results: readonly TrialResult[]): string {
  const failures = results.filter(({ outcomes }) => Object.values(outcomes).some(({ ok }) => !ok));
  const ordered = [...failures, ...results.filter((result) => !failures.includes(result))];
  const head = ['FROM', 'TO', 'ADDRESS', ...NETWORK_CLASSES.map((cls) => cls.toUpperCase())];
  return renderTable(
    head,
    ordered.map(({ from, to, ip, outcomes }) => [
      `${from.cluster}/${from.node}`,
      to.kind === 'pod' ? `${to.cluster}/${to.node}` : `${to.kind} of ${to.cluster}`,
      ip ?? '-',
      ...NETWORK_CLASSES.map((cls) => outcomeText(outcomes[cls])),
    ]),
  );
}

function outcomeText(outcome: TrialResult['outcomes'][NetworkClass]): string {
  if (outcome === undefined) return '-';
  const { ok, error = 'failed', bytes, ms } = outcome;
  if (!ok) return bytes === undefined ? error : `${error} ${bytes}`;
  return bytes === undefined ? `${ms ?? 0} ms` : String(bytes);
}

/** The last line. */
export function renderTotal(results: readonly TrialResult[], untried: number, seconds: number): string {
  const cells = cellsOf(results);
  const failed = cells.filter(({ outcome }) => !outcome.ok).length;
  const parts = [`${cells.length - failed} ok`, `${failed} failed`, ...(untried > 0 ? [`${untried} not made`] : [])];
  return `${cells.length} probes in ${seconds.toFixed(1)} s: ${parts.join(', ')}\n`;
}

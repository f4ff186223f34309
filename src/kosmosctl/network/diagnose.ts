import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_LINK_READY_CONDITION } from '../../apis/names.js';
import { UDP_QUESTIONS } from '../../clusterlink/floater/plan.js';
import { conditionOf, nameOf } from '../fields.js';
import { bad, ok, type Finding } from '../report/finding.js';
import { cellsOf, groupFailures, type Cell, type Group } from './cell.js';
import { probableCause } from './causes.js';
import { NETWORK_CLASSES, trialKey, type NetworkClass, type Trial, type TrialResult } from './trial.js';

/** What the manager says about the link of a Cluster. */
export function linkFinding(cluster: Cluster): Finding {
  const at = { where: nameOf(cluster), what: 'link' };
  const condition = conditionOf(cluster, CLUSTER_LINK_READY_CONDITION);
  if (condition?.status === 'True') return ok(at.where, at.what, condition.reason ?? 'Linked');
  const said = condition === undefined ? 'no manager has looked at it' : `${condition.reason}: ${condition.message}`;
  return bad('problem', at, said, 'See docs/clusterlink-manager.md for the reason.');
}

/** What is wrong with the network, judged by what was tried; failures that have a place in common are one finding. */
export function diagnose(results: readonly TrialResult[], untried: readonly Trial[]): readonly Finding[] {
  const cells = cellsOf(results);
  const groups = groupFailures(cells);
  return [
    ...groups.map((group) => findingOf(group, cells)),
    ...untriedFindings(untried),
    ...lossFindings(cells.filter(({ outcome }) => outcome.lost !== undefined)),
  ];
}

function findingOf(group: Group, cells: readonly Cell[]): Finding {
  const classes = new Set(group.cells.map(({ cls }) => cls));
  const what = NETWORK_CLASSES.filter((cls) => classes.has(cls)).join(',');
  const { message, cure } = probableCause(group, passingBeside(group, cells));
  return bad('problem', { where: whereOf(group), what }, `${message}${familyNote(group, cells)}`, cure);
}

const DIRECTIONS: Readonly<Record<Group['kind'], string>> = {
  clusters: '',
  pair: '',
  to: 'to ',
  from: 'from ',
  node: '',
};

function whereOf({ kind, where, cells }: Group): string {
  const [one, other] = where.split(' > ');
  // DNS, and whatever else a cluster fails at with itself.
  if (one === other && one !== undefined) return one;
  const isDns = cells.every(({ cls }) => cls === 'dns');
  return isDns && one !== undefined ? one : `${DIRECTIONS[kind]}${where}`;
}

/** Classes that were tried between the same places, and always well. */
function passingBeside({ cells: failed }: Group, cells: readonly Cell[]): readonly NetworkClass[] {
  const ways = new Set(failed.map(wayOf));
  const beside = cells.filter((cell) => ways.has(wayOf(cell)));
  const failing = new Set(beside.filter(({ outcome }) => !outcome.ok).map(({ cls }) => cls));
  return NETWORK_CLASSES.filter((cls) => !failing.has(cls) && beside.some((cell) => cell.cls === cls));
}

function wayOf({ from, to, family }: Cell): string {
  return JSON.stringify([from.cluster, from.node, to.cluster, to.node, family]);
}

/** Says so when only one of two families fails. */
function familyNote({ cells: failed }: Group, cells: readonly Cell[]): string {
  const tried = new Set(cells.flatMap(({ family }) => family ?? []));
  const failing = new Set(failed.flatMap(({ family }) => family ?? []));
  const [only, more] = [...failing];
  if (tried.size < 2 || only === undefined || more !== undefined) return '';
  return only === 'ipv4' ? '; only by IPv4' : '; only by IPv6';
}

/** One for each node that did not tell how it went. */
function untriedFindings(untried: readonly Trial[]): readonly Finding[] {
  const nodes = new Map<string, number>();
  for (const { from } of untried) {
    const where = `from ${from.cluster}/${from.node}`;
    nodes.set(where, (nodes.get(where) ?? 0) + 1);
  }
  return [...nodes].map(([where, count]) =>
    bad('problem', { where, what: 'floater' }, `${count} of its probes were not made`, 'Run it again with --resume.'),
  );
}

function lossFindings(lossy: readonly Cell[]): readonly Finding[] {
  if (lossy.length === 0) return [];
  const lost = lossy.reduce((sum, { outcome }) => sum + (outcome.lost ?? 0), 0);
  const where = [...new Set(lossy.map(({ from, to }) => `${from.cluster} > ${to.cluster}`))].join(', ');
  const message = `${lost} of ${lossy.length * UDP_QUESTIONS} packets got lost between ${lossy.length} pairs`;
  return [bad('warning', { where, what: 'udp' }, message, 'Run it again; when it stays, look for overloaded links.')];
}

/** The trials that have no result. */
export function withoutResult(trials: readonly Trial[], results: readonly TrialResult[]): readonly Trial[] {
  const known = new Set(results.map(trialKey));
  return trials.filter((trial) => !known.has(trialKey(trial)));
}

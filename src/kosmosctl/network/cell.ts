import type { Outcome } from '../../clusterlink/floater/plan.js';
import type { IpFamily } from '../../lib/cidr.js';
import { NETWORK_CLASSES, type NetworkClass, type Place, type TrialResult } from './trial.js';

/** One class of one result. */
export interface Cell {
  readonly from: Place;
  /** Without a node: a Service, or DNS. */
  readonly to: { readonly cluster: string; readonly node?: string };
  readonly cls: NetworkClass;
  readonly family: IpFamily | undefined;
  readonly outcome: Outcome;
}

export function cellsOf(results: readonly TrialResult[]): readonly Cell[] {
  return results.flatMap(({ from, to, family, outcomes }) =>
    NETWORK_CLASSES.flatMap((cls): readonly Cell[] => {
      const outcome = outcomes[cls];
      const goal = to.kind === 'pod' ? { cluster: to.cluster, node: to.node } : { cluster: to.cluster };
      return outcome === undefined ? [] : [{ from, to: goal, cls, family, outcome }];
    }),
  );
}

/** Whether it stays inside of one cluster, where ClusterLink has no part in it. */
export function isInside({ from, to }: Cell): boolean {
  return from.cluster === to.cluster;
}

/** Failures that have one place in common, so that they probably have one cause. */
export interface Group {
  /** All from a cluster to a cluster; all to, from or to and from a node; or between two nodes. */
  readonly kind: 'clusters' | 'to' | 'from' | 'node' | 'pair';
  /** `host > member1`, `member1/n2`, or `host/n1 > member1/n2`. */
  readonly where: string;
  readonly cells: readonly Cell[];
}

const nodeName = ({ cluster, node }: { readonly cluster: string; readonly node?: string }): string =>
  node === undefined ? cluster : `${cluster}/${node}`;

/** How failures may be put together, the one that explains most first. Undefined: not about this cell. */
const GROUPINGS: readonly (readonly [kind: Group['kind'], where: (cell: Cell) => string | undefined, least: number])[] =
  [
    ['clusters', ({ from, to }) => `${from.cluster} > ${to.cluster}`, 2],
    ['to', ({ to }) => (to.node === undefined ? undefined : nodeName(to)), 2],
    ['from', ({ from }) => nodeName(from), 2],
    ['pair', ({ from, to }) => `${nodeName(from)} > ${nodeName(to)}`, 1],
  ];

/** Puts failures together by what they have in common: a place belongs to it only if all that was tried there failed. */
export function groupFailures(cells: readonly Cell[]): readonly Group[] {
  const groups = new Map<string, Group>();
  const kinds = new Map<string, Cell[]>();
  // What fails for one class, in one family, inside or across clusters, may have a cause of its own.
  for (const cell of cells) push(kinds, `${cell.cls} ${cell.family ?? ''} ${isInside(cell)}`, cell);
  for (const kind of kinds.values()) {
    for (const group of groupsOfKind(kind)) {
      const key = `${group.kind} ${group.where}`;
      const same = groups.get(key);
      groups.set(key, same === undefined ? group : { ...same, cells: [...same.cells, ...group.cells] });
    }
  }
  return joinDirections(joinServices([...groups.values()]));
}

/** A Service is on no node: that a node which reaches nobody doesn't reach it either is the same thing. */
function joinServices(groups: readonly Group[]): readonly Group[] {
  const isService = (group: Group): boolean =>
    group.kind === 'pair' && group.cells.every(({ cls }) => cls === 'service');
  const homeOf = (group: Group): Group | undefined => {
    const [from = ''] = group.where.split(' > ');
    return groups.find(
      (other) => other.kind === 'from' && other.where === from && other.cells.some((cell) => !isInside(cell)),
    );
  };
  const joined = new Map(groups.map((group) => [group, [...group.cells]]));
  const moved = groups.filter((group) => {
    const home = isService(group) && !group.cells.some(isInside) ? homeOf(group) : undefined;
    if (home !== undefined) joined.get(home)?.push(...group.cells);
    return home !== undefined;
  });
  return groups
    .filter((group) => !moved.includes(group))
    .map((group) => ({ ...group, cells: joined.get(group) ?? group.cells }));
}

function groupsOfKind(cells: readonly Cell[]): readonly Group[] {
  let left = cells.filter(({ outcome }) => !outcome.ok);
  const found: Group[] = [];
  for (const [kind, whereOf, least] of GROUPINGS) {
    const places = new Map<string, Cell[]>();
    for (const cell of cells) {
      const where = whereOf(cell);
      if (where !== undefined) push(places, where, cell);
    }
    for (const [where, tried] of places) {
      const isWhole = tried.length >= least && tried.every(({ outcome }) => !outcome.ok);
      const explained = left.filter((cell) => tried.includes(cell));
      if (!isWhole || explained.length === 0) continue;
      found.push({ kind, where, cells: explained });
      left = left.filter((cell) => !explained.includes(cell));
    }
  }
  return found;
}

/** A node that neither reaches others nor is reached has one cause for both. */
function joinDirections(groups: readonly Group[]): readonly Group[] {
  return groups.flatMap((group) => {
    if (group.kind !== 'to' && group.kind !== 'from') return [group];
    const other = groups.find(
      ({ kind, where }) => where === group.where && kind === (group.kind === 'to' ? 'from' : 'to'),
    );
    if (other === undefined) return [group];
    return group.kind === 'to' ? [{ ...group, kind: 'node' as const, cells: [...group.cells, ...other.cells] }] : [];
  });
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

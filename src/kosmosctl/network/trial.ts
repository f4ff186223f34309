import type { LinkCluster } from '../../clusterlink/planner/link-cluster.js';
import { ADDRESS_PROBES, type Outcome, type Probe, type ProbeReport } from '../../clusterlink/floater/plan.js';
import { includesIp, mapIp, parseIp, type IpFamily } from '../../lib/cidr.js';

/** What is looked at, in the order of the columns. */
export const NETWORK_CLASSES = ['icmp', 'tcp', 'udp', 'mtu', 'service', 'dns'] as const;
export type NetworkClass = (typeof NETWORK_CLASSES)[number];

/** A node of a linked cluster. */
export interface Place {
  readonly cluster: string;
  readonly node: string;
}

/** What a node tries to reach: a pod on a node, a Service, or the DNS of its own cluster. */
export type Goal =
  | { readonly kind: 'pod'; readonly cluster: string; readonly node: string }
  | { readonly kind: 'service' | 'dns'; readonly cluster: string };

/** One thing to try. */
export interface Trial {
  readonly from: Place;
  readonly to: Goal;
  /** Absent where a name is tried. */
  readonly family?: IpFamily;
  /** By which the node reaches it: a global one if the other cluster's range is mapped. */
  readonly ip?: string;
  readonly probes: readonly Probe[];
}

/** How it went. */
export interface TrialResult extends Trial {
  readonly outcomes: Readonly<Partial<Record<NetworkClass, Outcome>>>;
}

/** What is known of a cluster once its floaters run. */
export interface SiteView {
  readonly link: LinkCluster;
  readonly floaters: readonly { readonly node: string; readonly ips: readonly string[] }[];
  readonly serviceIps: readonly string[];
}

/** What of all that could be tried is wanted. */
export interface TrialChoice {
  readonly classes: ReadonlySet<NetworkClass>;
  /** Clusters whose nodes try; all of them when absent. */
  readonly sources?: ReadonlySet<string> | undefined;
  /** Clusters that are tried. */
  readonly targets?: ReadonlySet<string> | undefined;
}

/** The same trial has the same key in every run, whatever addresses its floaters have. */
export function trialKey({ from, to, family }: Trial): string {
  const goal = to.kind === 'pod' ? `${to.cluster}/${to.node}` : `${to.kind} of ${to.cluster}`;
  return `${from.cluster}/${from.node} > ${goal}${family === undefined ? '' : ` ${family}`}`;
}

/** All trials, those of each node together; each node begins with another target, so that none is asked by all at once. */
export function planTrials(sites: readonly SiteView[], choice: TrialChoice): readonly Trial[] {
  const isIn = (names: ReadonlySet<string> | undefined, site: SiteView): boolean => names?.has(site.link.name) ?? true;
  const targets = sites.filter((site) => isIn(choice.targets, site));
  const sources = sites.filter((site) => isIn(choice.sources, site));
  const count = sources.reduce((sum, { floaters }) => sum + floaters.length, 0);
  let turn = 0;
  return sources.flatMap((site) =>
    site.floaters.flatMap(({ node }) => {
      const from = { cluster: site.link.name, node };
      const pods = targets.flatMap((other) => podTrials(site, from, other, choice.classes));
      const at = Math.floor((turn++ * pods.length) / count);
      return [
        ...[...pods.slice(at), ...pods.slice(0, at)],
        ...(choice.classes.has('service') ? targets.flatMap((other) => serviceTrials(site, from, other)) : []),
        ...(choice.classes.has('dns') ? [dnsTrial(from)] : []),
      ];
    }),
  );
}

function podTrials(site: SiteView, from: Place, other: SiteView, classes: ReadonlySet<NetworkClass>): readonly Trial[] {
  const probes = ADDRESS_PROBES.filter((probe) => classes.has(probe));
  if (probes.length === 0) return [];
  const cluster = other.link.name;
  return other.floaters
    .filter(({ node }) => cluster !== from.cluster || node !== from.node)
    .flatMap(({ node, ips }) =>
      ips.flatMap((ip) => withAddress(site, other, ip, { from, to: { kind: 'pod', cluster, node }, probes })),
    );
}

function serviceTrials(site: SiteView, from: Place, other: SiteView): readonly Trial[] {
  const to = { kind: 'service', cluster: other.link.name } as const;
  return other.serviceIps.flatMap((ip) => withAddress(site, other, ip, { from, to, probes: ['tcp'] }));
}

function dnsTrial(from: Place): Trial {
  return { from, to: { kind: 'dns', cluster: from.cluster }, probes: ['dns'] };
}

/** Inside of a cluster every address counts, else those of the families that both clusters are linked by. */
function withAddress(site: SiteView, other: SiteView, text: string, trial: Trial): readonly Trial[] {
  const ip = parseIp(text);
  if (ip === undefined) return [];
  if (site === other) return [{ ...trial, family: ip.family, ip: ip.text }];
  const isLinked = [site, other].every(({ link }) => link.families.includes(ip.family));
  if (!isLinked) return [];
  const range = other.link.globalRanges.find(({ real }) => includesIp(real, ip));
  const seen = range === undefined ? ip : mapIp(ip, range.real, range.global);
  return [{ ...trial, family: ip.family, ip: seen.text }];
}

/** What floaters say of a trial; that a Service was reached by TCP is a class of its own. */
export function resultOf(trial: Trial, { outcomes }: Pick<ProbeReport, 'outcomes'>): TrialResult {
  if (trial.to.kind !== 'service') return { ...trial, outcomes };
  const { tcp } = outcomes;
  return { ...trial, outcomes: tcp === undefined ? {} : { service: tcp } };
}

/** Whether there is nothing left to try. */
export function isWell({ outcomes }: TrialResult): boolean {
  const all = Object.values(outcomes);
  return all.length > 0 && all.every(({ ok }) => ok);
}

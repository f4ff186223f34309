import { CLUSTERS_PER_BLOCK, NODES_PER_CLUSTER, type Family } from './addresses.js';
import { PINNED_KUBERNETES } from './versions.js';

/** Programs whose flags a caller may extend. */
export type Component =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kwok'
  | 'containerd'
  | 'kubelet'
  | 'kube-proxy';

/** What a caller may ask of a lab. */
export interface LabOptions {
  /** Name of the instance; instances don't disturb each other. @default 'default' */
  readonly instance?: string;
  /** Number of member clusters beside the host. @default 2 */
  readonly members?: number;
  /** Nodes of each member: KWOK nodes, or real ones with `full`. @default 3, with `full` 1 */
  readonly nodes?: number;
  /** Nodes of the host. @default 0, with `full` the same as `nodes` */
  readonly hostNodes?: number;
  /** Real kubelets and containers instead of KWOK, in the host too. @default false */
  readonly full?: boolean;
  /** IP families of all clusters. @default 'ipv4' */
  readonly family?: Family;
  /** Gives all clusters the same pod and service CIDRs. @default false */
  readonly sameCidrs?: boolean;
  /** Kubernetes version of all clusters, as `1.36` or `1.36.3`. @default the pinned version */
  readonly kubeVersion?: string;
  /** Version of single clusters, by cluster name; wins over `kubeVersion`. */
  readonly kubeVersions?: Readonly<Record<string, string>>;
  /** Flags added after the lab's own ones, for the programs of every cluster. */
  readonly extraArgs?: Readonly<Partial<Record<Component, readonly string[]>>>;
  /** Receives one line per step. @default nothing is printed */
  readonly log?: (line: string) => void;
}

/** Options with all defaults applied and checked. */
export type LabConfig = Required<Omit<LabOptions, 'log'>>;

/** Names that would clash with a folder or namespace of the lab itself. */
const RESERVED_INSTANCE = /^(host|client|run|member\d+)$/;

function countProblem(name: string, value: number, minimum: number, maximum: number): string[] {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return [];
  return [`${name} must be a whole number from ${minimum} to ${maximum}, not ${value}`];
}

function problemsOf(config: LabConfig): string[] {
  const nodeLimit = config.full ? NODES_PER_CLUSTER : 10_000;
  const problems = [
    ...countProblem('members', config.members, 0, CLUSTERS_PER_BLOCK - 1),
    ...countProblem('nodes', config.nodes, config.full ? 1 : 0, nodeLimit),
    ...countProblem('hostNodes', config.hostNodes, config.full ? 1 : 0, nodeLimit),
  ];
  if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(config.instance)) {
    problems.push(`instance must be 1 to 40 lower-case letters, digits and dashes, not "${config.instance}"`);
  } else if (RESERVED_INSTANCE.test(config.instance)) {
    problems.push(`instance can't be called "${config.instance}": the lab uses that name itself`);
  }
  if (!['ipv4', 'ipv6', 'dual'].includes(config.family)) {
    problems.push(`family must be ipv4, ipv6 or dual, not "${config.family}"`);
  }
  const clusters = clusterNames(config.members);
  for (const name of Object.keys(config.kubeVersions)) {
    if (!clusters.includes(name)) problems.push(`kubeVersions names a cluster that doesn't exist: ${name}`);
  }
  for (const version of [config.kubeVersion, ...Object.values(config.kubeVersions)]) {
    if (!/^v?1\.\d+(\.\d+)?$/.test(version))
      problems.push(`kubeVersion must look like 1.36 or 1.36.3, not "${version}"`);
  }
  return problems;
}

/** Names of the clusters of a lab in order of their indexes: `host`, `member1`, … */
export function clusterNames(members: number): string[] {
  const count = Number.isInteger(members) && members > 0 ? Math.min(members, CLUSTERS_PER_BLOCK) : 0;
  return ['host', ...Array.from({ length: count }, (_, index) => `member${index + 1}`)];
}

const DEFAULTS = {
  instance: 'default',
  members: 2,
  full: false,
  family: 'ipv4',
  sameCidrs: false,
  kubeVersion: PINNED_KUBERNETES,
  kubeVersions: {},
  extraArgs: {},
} as const;

/** Applies defaults. @throws Error that lists all problems. */
export function compileLabOptions(options: LabOptions): LabConfig {
  const given = Object.fromEntries(
    Object.entries(options).filter(([name, value]) => value !== undefined && name !== 'log'),
  ) as LabOptions;
  const nodes = given.nodes ?? (given.full === true ? 1 : 3);
  const hostNodes = given.full === true ? nodes : 0;
  const config: LabConfig = { ...DEFAULTS, nodes, hostNodes, ...given };
  const problems = problemsOf(config);
  if (problems.length > 0) throw new Error(`bad lab options: ${problems.join('; ')}`);
  return config;
}

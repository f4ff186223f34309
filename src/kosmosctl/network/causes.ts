import { PROBE_ERRORS } from '../../clusterlink/floater/plan.js';
import { isInside, type Cell, type Group } from './cell.js';
import type { NetworkClass } from './trial.js';

/** Why it probably fails, and what to do. */
export interface Cause {
  readonly message: string;
  readonly cure: string;
}

/** What is known of a group of failures, for whoever judges. */
interface Case {
  readonly group: Group;
  readonly classes: ReadonlySet<NetworkClass>;
  /** Everything else that was tried between the same places gets through. */
  readonly passing: readonly NetworkClass[];
  /** Inside of one cluster too, not only across clusters. */
  readonly inside: boolean;
  readonly across: boolean;
}

type Rule = (given: Case) => Cause | undefined;

const PORTS = 'UDP 4876, 4877, 4866 and 4867';
/** Bytes that a tunnel adds. */
const TUNNEL_BYTES = { ipv4: 50, ipv6: 70 } as const;

/** The first one that has something to say is right; the last one always has. */
const RULES: readonly Rule[] = [blackHole, nothing, nameService, serviceAlone, single, several];

/** Judges by what fails, what doesn't, and where. */
export function probableCause(group: Group, passing: readonly NetworkClass[]): Cause {
  const given: Case = {
    ...{ group, passing },
    classes: new Set(group.cells.map(({ cls }) => cls)),
    inside: group.cells.some(isInside),
    across: group.cells.some((cell) => !isInside(cell)),
  };
  for (const rule of RULES) {
    const cause = rule(given);
    if (cause !== undefined) return cause;
  }
  return several(given);
}

function blackHole({ group, across }: Case): Cause | undefined {
  const holes = group.cells.filter(({ outcome }) => outcome.error === PROBE_ERRORS.blackHole);
  if (holes.length === 0) return undefined;
  const bytes = Math.min(...holes.map(({ outcome }) => outcome.bytes ?? 0));
  const widest = holes.some(({ family }) => family === 'ipv6') ? TUNNEL_BYTES.ipv6 : TUNNEL_BYTES.ipv4;
  const message = `packets of more than ${bytes} bytes vanish, and senders are not told: large transfers hang`;
  const cure = across
    ? `The network between the nodes carries less than their interfaces say. Set clusterLinkOptions.mtu of these Clusters to ${bytes + widest}, or repair the network; let ICMP through.`
    : `The network of the cluster itself carries less than its interfaces say: lower the MTU of its CNI to ${bytes}.`;
  return { message, cure };
}

function nothing({ group, classes, passing, across, inside }: Case): Cause | undefined {
  const isAll = passing.length === 0 && (['icmp', 'tcp', 'udp'] as const).every((cls) => classes.has(cls));
  if (!isAll) return undefined;
  const message = `nothing gets through (${errorsOf(group.cells)})`;
  if (inside && !across) return { message, cure: 'The network of the cluster itself fails: look at its CNI.' };
  return { message, cure: NOTHING_CURES[group.kind] };
}

const NOTHING_CURES: Readonly<Record<Group['kind'], string>> = {
  clusters: `Look at ClusterLinkReady of both ("kosmosctl describe cluster"), and whether firewalls let ${PORTS} through between their gateways, in P2P mode between all nodes.`,
  to: `The way to this node fails: look at its agent and its NodeConfig, and whether a firewall there lets ${PORTS} in.`,
  from: `The way from this node fails: look at its agent and its NodeConfig, and at "ip route show table 200" there.`,
  node: `The tunnels of this node are missing or cut: look whether its agent runs, at its NodeConfig ("kubectl get nodeconfigs -o wide"), and whether a firewall there lets ${PORTS} through.`,
  pair: `Look at the NodeConfigs of both nodes, and whether firewalls let ${PORTS} through between them.`,
};

function nameService({ group, classes }: Case): Cause | undefined {
  if (!classes.has('dns') || classes.size > 1) return undefined;
  return {
    message: `names of the cluster are not resolved (${errorsOf(group.cells)})`,
    cure: 'Look at the DNS of the cluster: kubectl -n kube-system get pods,endpointslices -l k8s-app=kube-dns',
  };
}

function serviceAlone({ group, classes, inside, across }: Case): Cause | undefined {
  if (!classes.has('service') || classes.size > 1) return undefined;
  const message = `the ClusterIP of a Service is not answered (${errorsOf(group.cells)})`;
  const cure = across
    ? "Look at kube-proxy on the gateway of the cluster that has the Service, whether the Service's range is in clusterLinkStatus.serviceCIDRs, and whether a NetworkPolicy forbids it."
    : 'Look at kube-proxy on these nodes.';
  return { message: inside && across ? `${message}; also inside of the cluster` : message, cure };
}

function single({ group, classes, passing }: Case): Cause | undefined {
  const [cls, more] = [...classes];
  if (cls === undefined || more !== undefined) return undefined;
  const rest = passing.length === 0 ? '' : `, while ${passing.join(', ')} gets through`;
  return { message: `${cls} does not get through (${errorsOf(group.cells)})${rest}`, cure: SINGLE_CURES[cls] };
}

const SINGLE_CURES: Readonly<Record<NetworkClass, string>> = {
  icmp: 'A firewall drops ICMP. Let it through: without it senders are not told which packets are too large.',
  tcp: 'A firewall or NetworkPolicy drops TCP: look at "nft list ruleset" on the nodes, and at NetworkPolicies.',
  udp: 'A firewall or NetworkPolicy drops UDP: look at "nft list ruleset" on the nodes, and at NetworkPolicies.',
  mtu: 'Packets of the usual sizes get lost: look at the MTU of the devices on the way.',
  service: 'Look at kube-proxy.',
  dns: 'Look at the DNS of the cluster.',
};

function several({ group, classes, passing }: Case): Cause {
  const rest = passing.length === 0 ? '' : `, while ${passing.join(', ')} gets through`;
  return {
    message: `${[...classes].join(', ')} do not get through (${errorsOf(group.cells)})${rest}`,
    cure: 'Look for firewalls and NetworkPolicies on the way, and at kube-proxy and DNS where Services or names fail.',
  };
}

/** The errors, the most frequent first. */
export function errorsOf(cells: readonly Cell[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of cells) {
    const error = outcome.error ?? 'no answer';
    counts.set(error, (counts.get(error) ?? 0) + 1);
  }
  const ordered = [...counts].sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1));
  return ordered.map(([error]) => ERROR_TEXTS[error] ?? error).join(', ');
}

const ERROR_TEXTS: Readonly<Record<string, string>> = {
  [PROBE_ERRORS.timeout]: 'no answer',
  [PROBE_ERRORS.garbled]: 'another answer than was sent',
  [PROBE_ERRORS.stalled]: 'connections hang',
  [PROBE_ERRORS.blackHole]: 'large packets vanish',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  EPERM: 'forbidden by a firewall of the node',
  ENOTFOUND: 'no such name',
  ESERVFAIL: 'the DNS server fails',
};

import type {
  NodeConfigActiveGateway,
  NodeConfigGatewayCandidate,
  NodeConfigGateways,
  NodeConfigRoute,
  NodeConfigSpec,
} from '../../apis/kosmos/v1alpha1/node-config.js';
import { familyOf } from './netlink/family.js';

/** What probes say of a tunnel address: undefined when nobody knows (yet). */
export type Liveness = (ip: string) => boolean | undefined;

/** The choice for one cluster. */
interface Choice {
  readonly nodeName: string;
  /** The candidates that there were when it was made: other ones mean that the manager has decided anew. */
  readonly order: string;
  /** When the agent left the first candidate by itself, RFC 3339. */
  readonly switchedTime: string | undefined;
}

/** Choices by cluster. */
export type GatewayChoices = ReadonlyMap<string, Choice>;

/**
 * Which candidate each cluster's routes go through. The manager's order is taken as it is whenever it is a new one.
 * After that a choice stays as long as it isn't known to be dead: then the first candidate that is known to be alive takes
 * over. One that came back is no reason to switch again; and when all are dead there is nothing to gain.
 */
export function chooseGateways(
  gateways: readonly NodeConfigGateways[],
  previous: GatewayChoices,
  alive: Liveness,
  now: string,
): GatewayChoices {
  const choices = new Map<string, Choice>();
  for (const { clusterName, candidates } of gateways) {
    const [first] = candidates;
    if (first === undefined) continue;
    const order = JSON.stringify(candidates.map(({ nodeName }) => nodeName));
    const before = previous.get(clusterName);
    const standing = before?.order === order ? before : { nodeName: first.nodeName, order, switchedTime: undefined };
    const present = candidates.find(({ nodeName }) => nodeName === standing.nodeName);
    const isDead = present !== undefined && candidateAlive(present, alive) === false;
    const successor = isDead ? candidates.find((candidate) => candidateAlive(candidate, alive) === true) : undefined;
    const next = successor === undefined ? standing : { nodeName: successor.nodeName, order, switchedTime: now };
    choices.set(clusterName, next);
  }
  return choices;
}

/** A node is alive for itself. One that answers in any family is alive. */
function candidateAlive({ self, gw, gw6 }: NodeConfigGatewayCandidate, alive: Liveness): boolean | undefined {
  if (self === true) return true;
  const answers = [gw, gw6].flatMap((ip) => (ip === undefined ? [] : [alive(ip)]));
  if (answers.includes(true)) return true;
  return answers.length > 0 && answers.every((answer) => answer === false) ? false : undefined;
}

/** What the status says of choices. */
export function activeGateways(choices: GatewayChoices): readonly NodeConfigActiveGateway[] {
  return [...choices].map(([clusterName, { nodeName, switchedTime }]) => ({
    clusterName,
    nodeName,
    ...(switchedTime !== undefined && { switchedTime }),
  }));
}

/** The routes of a config when these gateways are active; those of the config itself while all are the first ones. */
export function routesThrough(spec: NodeConfigSpec, choices: GatewayChoices): readonly NodeConfigRoute[] {
  const planned = spec.routes ?? [];
  const gateways = spec.gateways ?? [];
  const active = gateways.flatMap((entry) => {
    const name = choices.get(entry.clusterName)?.nodeName;
    const candidate = entry.candidates.find(({ nodeName }) => nodeName === name) ?? entry.candidates[0];
    return candidate === undefined ? [] : [{ entry, candidate }];
  });
  if (active.every(({ entry, candidate }) => candidate === entry.candidates[0])) return planned;

  const own = active.find(({ entry }) => entry.clusterName === spec.clusterName);
  const others = active.filter((one) => one !== own);
  const throughOthers = others.flatMap(({ entry, candidate }) => routesBy(candidate, entry.cidrs));
  // Every cluster through its own gateway, as in P2P.
  if (own === undefined) return replaced(planned, throughOthers);
  if (own.candidate.self !== true) return replaced(planned, routesBy(own.candidate, own.entry.cidrs));
  const direct = [...(own.entry.directRoutes ?? []), ...throughOthers];
  const covered = new Set(own.entry.cidrs);
  return replaced(
    planned.filter(({ cidr }) => !covered.has(cidr)),
    direct,
  );
}

function routesBy(candidate: NodeConfigGatewayCandidate, cidrs: readonly string[]): NodeConfigRoute[] {
  return cidrs.flatMap((cidr) => {
    const [gw, dev] = familyOf(cidr) === 'ipv4' ? [candidate.gw, candidate.dev] : [candidate.gw6, candidate.dev6];
    return gw === undefined || dev === undefined ? [] : [{ cidr, gw, dev }];
  });
}

/** The first list, in which the second one's routes take the place of those to the same destinations. */
function replaced(routes: readonly NodeConfigRoute[], by: readonly NodeConfigRoute[]): NodeConfigRoute[] {
  const destinations = new Set(by.map(({ cidr }) => cidr));
  return [...routes.filter(({ cidr }) => !destinations.has(cidr)), ...by];
}

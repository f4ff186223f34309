/** A node that could be the gateway of its cluster. */
export interface Candidate {
  readonly nodeName: string;
  /** Carries the label that asks for it. */
  readonly preferred: boolean;
  /** `unknown` when nobody has said anything yet. */
  readonly health: 'healthy' | 'unknown' | 'unhealthy';
  /** About to be drained, perhaps. */
  readonly cordoned: boolean;
}

export interface ElectionState {
  readonly candidates: readonly Candidate[];
  /** The present gateway; undefined when there is none. */
  readonly current: string | undefined;
  /** The present standby gateways, in order. */
  readonly standbys: readonly string[];
  /** What most agents have switched to by themselves, because the present gateway did not answer them. */
  readonly switchedTo: string | undefined;
  readonly standbyLimit: number;
}

export interface Election {
  readonly gateway: string | undefined;
  /** In the order in which they take over. */
  readonly standbys: readonly string[];
}

/**
 * Chooses the gateway of a cluster and those that stand by. What agents have switched to is confirmed. Otherwise the
 * present gateway stays as long as no other node is better in what counts: being alive, not being about to go, being
 * asked for. A gateway that came back is not better than the one that replaced it, and a dead node than none.
 */
export function electGateways(state: ElectionState): Election {
  const { candidates, current, standbys, switchedTo, standbyLimit } = state;
  const seat = (name: string): number => {
    if (name === current) return -1;
    const index = standbys.indexOf(name);
    return index < 0 ? standbys.length : index;
  };
  const ranked = [...candidates].sort(
    (left, right) =>
      rank(left, current) - rank(right, current) ||
      seat(left.nodeName) - seat(right.nodeName) ||
      (left.nodeName < right.nodeName ? -1 : 1),
  );
  const confirmed = ranked.find(({ nodeName, health }) => nodeName === switchedTo && health !== 'unhealthy');
  const alive = ranked.find(({ health }) => health !== 'unhealthy');
  const gateway = (confirmed ?? alive)?.nodeName ?? current ?? ranked[0]?.nodeName;
  const others = ranked.filter(({ nodeName, health }) => nodeName !== gateway && health !== 'unhealthy');
  return { gateway, standbys: standing(others, standbyLimit).map(({ nodeName }) => nodeName) };
}

/** The last place goes to a node that is asked for and of which nothing is known: only those that stand by are probed. */
function standing(ranked: readonly Candidate[], limit: number): readonly Candidate[] {
  const first = ranked.slice(0, limit);
  const isAsked = ({ preferred, health }: Candidate): boolean => preferred && health === 'unknown';
  const asked = ranked.slice(limit).find(isAsked);
  return asked === undefined || limit === 0 || first.some(isAsked) ? first : [...first.slice(0, -1), asked];
}

/** Lower is better. That nothing is known yet is no reason to replace a gateway. */
function rank({ nodeName, health, cordoned, preferred }: Candidate, current: string | undefined): number {
  const isAlive = health === 'healthy' || (health === 'unknown' && nodeName === current);
  const life = isAlive ? 0 : health === 'unknown' ? 1 : 2;
  return life * 4 + (cordoned ? 2 : 0) + (preferred ? 0 : 1);
}

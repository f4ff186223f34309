/** What is wrong with the inputs, in words for conditions. */
export type PlanProblemReason =
  /** Ranges of two Clusters overlap. */
  | 'CIDROverlap'
  /** A range can't be routed into tunnels, since it has addresses that the tunnels themselves need. */
  | 'CIDRNotRoutable'
  /** Two nodes would have the same address in the tunnels. */
  | 'TunnelAddressCollision'
  /** Two ClusterNodes stand for one node. */
  | 'DuplicateNode'
  /** A cluster in gateway mode has no gateway. */
  | 'NoGateway'
  /** A node lacks an address of a family that its cluster uses. */
  | 'AddressMissing'
  /** The underlay carries too little for the tunnels. */
  | 'MTUTooSmall'
  /** An option of a Cluster can't be read; it doesn't count. */
  | 'InvalidOption';

export interface PlanProblem {
  readonly reason: PlanProblemReason;
  /** The Clusters that it is about, sorted. */
  readonly clusters: readonly string[];
  /** Names both sides where there are two. */
  readonly message: string;
}

/** A stable order, without repetitions. */
export function sortedProblems(problems: Iterable<PlanProblem>): readonly PlanProblem[] {
  const byText = new Map<string, PlanProblem>();
  for (const problem of problems) byText.set(JSON.stringify(problem), problem);
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, problem]) => problem);
}

/** Ways to try whether an address can be reached. */
export const ADDRESS_PROBES = ['icmp', 'tcp', 'udp', 'mtu'] as const;

/** All that can be tried: `dns` is about a name. */
export const PROBES = [...ADDRESS_PROBES, 'dns'] as const;
export type Probe = (typeof PROBES)[number];

/** One address or name, and how to try it. */
export interface ProbeTarget {
  /** Chosen by who asks; comes back with the outcome. */
  readonly id: string;
  readonly ip?: string;
  /** As pods write it: completed with the search list of the resolver. */
  readonly name?: string;
  readonly probes: readonly Probe[];
}

/** All that one pod is to try; its whole input. */
export interface ProbePlan {
  /** Where floaters listen, TCP and UDP alike. */
  readonly port: number;
  /** How long to wait for each answer. */
  readonly timeoutMs: number;
  /** Targets that are tried at the same time. */
  readonly concurrency: number;
  readonly targets: readonly ProbeTarget[];
}

/** How one probe ended. */
export interface Outcome {
  readonly ok: boolean;
  /** Round trip, or how long it took to connect. */
  readonly ms?: number;
  /** Errno of the system, an error code of DNS, or one of {@link PROBE_ERRORS}. */
  readonly error?: string;
  /** `udp`: questions that were not answered, of {@link UDP_QUESTIONS}. */
  readonly lost?: number;
  /** `mtu`: bytes of the largest IP packet that got through whole. */
  readonly bytes?: number;
}

export const UDP_QUESTIONS = 5;

/** Errors that are not the system's. */
export const PROBE_ERRORS = {
  /** Nothing came back in time. */
  timeout: 'TIMEOUT',
  /** Something else came back than was sent. */
  garbled: 'GARBLED',
  /** There was a connection, but not all that was sent came back. */
  stalled: 'STALLED',
  /** Larger packets vanish, and nobody says so: senders don't find the right size. */
  blackHole: 'BLACK_HOLE',
} as const;

/** What is told of a target. */
export interface ProbeReport {
  readonly id: string;
  readonly outcomes: Readonly<Partial<Record<Probe, Outcome>>>;
}

/** One line of a pod's log. */
export function encodeReport(report: ProbeReport): string {
  return `${JSON.stringify(report)}\n`;
}

/** Undefined for lines of another kind, and for one that isn't complete yet. */
export function decodeReport(line: string): ProbeReport | undefined {
  if (!line.startsWith('{"id":')) return undefined;
  try {
    const { id, outcomes } = JSON.parse(line) as Partial<ProbeReport>;
    return typeof id === 'string' && typeof outcomes === 'object' ? { id, outcomes } : undefined;
  } catch {
    // Logs are read while they are written.
    return undefined;
  }
}

/** @throws Error that says what is wrong with the plan */
export function decodePlan(text: string): ProbePlan {
  const plan = JSON.parse(text) as Partial<ProbePlan>;
  for (const field of ['port', 'timeoutMs', 'concurrency'] as const) {
    if (!Number.isInteger(plan[field]) || Number(plan[field]) < 1) throw new Error(`the plan has no valid ${field}`);
  }
  if (!Array.isArray(plan.targets)) throw new Error('the plan has no targets');
  for (const [index, target] of (plan.targets as Partial<ProbeTarget>[]).entries()) {
    const isWhole = typeof target.id === 'string' && (target.ip ?? target.name) !== undefined;
    const areKnown = Array.isArray(target.probes) && target.probes.every((probe: Probe) => PROBES.includes(probe));
    if (!isWhole || !areKnown) throw new Error(`target ${index} of the plan can't be read`);
  }
  return plan as ProbePlan;
}

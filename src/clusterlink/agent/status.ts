import type {
  NodeConfigActiveGateway,
  NodeConfigDetected,
  NodeConfigPeerStatus,
  NodeConfigStatus,
} from '../../apis/kosmos/v1alpha1/node-config.js';

/** What the agent has to say of itself. Times are RFC 3339. */
export interface Report {
  /** Of the config that the kernel was brought to last; undefined when it never was. */
  readonly appliedGeneration: number | undefined;
  readonly lastChangeTime: string | undefined;
  readonly lastSyncTime: string;
  readonly detected: NodeConfigDetected | undefined;
  /** Without a plan there is nothing to be ready for. */
  readonly planned: boolean;
  readonly driftRepaired: number;
  readonly errors: readonly string[];
  readonly peers: readonly NodeConfigPeerStatus[];
  readonly activeGateways: readonly NodeConfigActiveGateway[];
}

const READY = 'Ready';
/** An object in the API server should stay small, whatever goes wrong. */
const MOST_ERRORS = 20;
const LONGEST_ERROR = 300;
/** Smaller changes are noise, and no reason to write. */
const RTT_RATIO = 1.5;
const RTT_MS = 1;
const LOSS_STEP = 0.1;

/** The status that a report means. The condition's time is that of `previous` as long as it says the same. */
export function desiredStatus(report: Report, previous: NodeConfigStatus | undefined): NodeConfigStatus {
  const { appliedGeneration, lastChangeTime, detected, activeGateways } = report;
  const errors = report.errors.slice(0, MOST_ERRORS).map((error) => error.slice(0, LONGEST_ERROR));
  const hidden = report.errors.length - errors.length;
  if (hidden > 0) errors.push(`and ${hidden} more`);
  return {
    ...(appliedGeneration !== undefined && { observedGeneration: appliedGeneration }),
    ...(lastChangeTime !== undefined && { lastChangeTime }),
    ...(detected !== undefined && { detected }),
    lastSyncTime: report.lastSyncTime,
    driftRepaired: report.driftRepaired,
    errors,
    peers: report.peers,
    activeGateways,
    conditions: [desiredCondition(report, previous)],
  };
}

function desiredCondition(
  report: Report,
  previous: NodeConfigStatus | undefined,
): NonNullable<NodeConfigStatus['conditions']>[number] {
  const { status, reason, message } = judge(report);
  const old = previous?.conditions?.find(({ type }) => type === READY);
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : report.lastSyncTime;
  return { type: READY, status, reason, message, lastTransitionTime };
}

function judge({ detected, planned, errors }: Report): {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
} {
  const [first] = errors;
  if (detected === undefined) return { status: 'False', reason: 'NotDetected', message: first ?? '' };
  if (!planned) return { status: 'False', reason: 'NotPlanned', message: 'the config has no devices yet' };
  if (first !== undefined) return { status: 'False', reason: 'Incomplete', message: first.slice(0, LONGEST_ERROR) };
  return { status: 'True', reason: 'Applied', message: 'the network is as the config says' };
}

/** Whether one status says something else than the other; that time has passed, and small changes of RTT, say nothing. */
export function differs(one: NodeConfigStatus | undefined, other: NodeConfigStatus): boolean {
  if (one === undefined) return true;
  return (
    JSON.stringify(essence(one)) !== JSON.stringify(essence(other)) || peersDiffer(one.peers ?? [], other.peers ?? [])
  );
}

function essence({ lastSyncTime: _time, peers, ...rest }: NodeConfigStatus): unknown {
  return { ...rest, peers: peers?.map(({ name, ip, reachable }) => [name, ip, reachable]) };
}

/** The same peers, in the same order. */
function peersDiffer(one: readonly NodeConfigPeerStatus[], other: readonly NodeConfigPeerStatus[]): boolean {
  return one.some((peer, index) => {
    const now = other[index];
    return Math.abs((peer.loss ?? 0) - (now?.loss ?? 0)) >= LOSS_STEP || rttDiffers(peer.rttMs, now?.rttMs);
  });
}

function rttDiffers(one: number | undefined, other: number | undefined): boolean {
  if (one === undefined || other === undefined) return one !== other;
  return Math.abs(one - other) >= RTT_MS && Math.max(one, other) >= Math.min(one, other) * RTT_RATIO;
}

import { FederationError } from '../lib/errors.js';

/**
 * Lets its owner (leader election) stop all writes of a client. It is asked right before the bytes of a write are
 * handed to the connection, and its signal ends writes that are under way. A write that was already sent may still be
 * carried out by the server, so whoever takes over has to wait for longer than a request lives.
 */
export interface WriteGate {
  /** Aborted when the gate closes. */
  readonly signal: AbortSignal;
  /** Throws (`NOT_LEADER`) when the gate is closed. */
  assertOpen(): void;
}

/** The error of a write that a closed gate stopped. */
export function gateClosedError(gate: WriteGate): FederationError {
  return new FederationError('NOT_LEADER', 'writes are stopped', { cause: gate.signal.reason });
}

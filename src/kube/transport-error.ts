import { FederationError } from '../lib/errors.js';

/**
 * `API_UNREACHABLE`: no connection, or it broke before the whole answer was there. `API_TIMEOUT`: the deadline passed.
 * `WATCH_BROKEN`: an established watch was cut, fell silent, or carried something that is not JSON.
 */
export type TransportErrorCode = 'API_UNREACHABLE' | 'API_TIMEOUT' | 'WATCH_BROKEN';

/** The API server did not answer. */
export class TransportError extends FederationError {
  /**
   * Whether the request may have reached the server. A write with `true` here has an unknown fate: it may have been
   * carried out, so the caller must look before it does it again.
   */
  readonly mayHaveArrived: boolean;

  constructor(
    code: TransportErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly mayHaveArrived: boolean },
  ) {
    super(code, message, 'cause' in options ? { cause: options.cause } : {});
    this.mayHaveArrived = options.mayHaveArrived;
  }
}

/** True for any failure in which the server gave no answer. */
export function isTransportError(error: unknown): error is TransportError {
  return error instanceof TransportError;
}

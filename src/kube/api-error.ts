import { FederationError } from '../lib/errors.js';

/** The parts of a Kubernetes `Status` answer that callers decide on. */
export interface ApiStatus {
  /** HTTP status code. */
  readonly code: number;
  /** Machine-readable reason, for instance `NotFound`. */
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** An API server answered a request with a failure. */
export class ApiError extends FederationError {
  /** HTTP status code. */
  readonly status: number;
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: ApiStatus, options: { cause?: unknown } = {}) {
    super('API_ERROR', status.message ?? status.reason ?? `HTTP ${status.code}`, options);
    this.status = status.code;
    this.reason = status.reason ?? '';
    this.details = status.details ?? {};
  }
}

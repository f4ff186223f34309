/** Every error code of the product; docs/reference/errors.md describes each one (parity-tested). */
export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'KUBECONFIG_INVALID'
  | 'CREDENTIAL_FAILED'
  | 'API_ERROR'
  | 'API_UNREACHABLE'
  | 'API_TIMEOUT'
  | 'WATCH_BROKEN'
  | 'NOT_LEADER'
  | 'CLUSTER_INVALID'
  | 'POD_REFUSED'
  | 'FOREIGN_OBJECT'
  | 'KERNEL_ERROR'
  | 'INTERNAL';

/** What a caller should do with an error: try again with growing delays, or not at all. */
export type RetryAdvice = 'backoff' | 'never';

interface FederationErrorOptions {
  readonly cause?: unknown;
  readonly retry?: RetryAdvice;
  readonly firstRetryMs?: number;
}

/** Base of all errors that the product raises itself. Callers switch on `code`, never on the text. */
export class FederationError extends Error {
  readonly code: ErrorCode;
  readonly retry: RetryAdvice;
  /** The first of the growing delays, for failures that are unlikely to pass within milliseconds. */
  readonly firstRetryMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: FederationErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.retry = options.retry ?? 'backoff';
    this.firstRetryMs = options.firstRetryMs;
  }
}

/** An error that trying again can't cure. A controller records it and waits for the object to change. */
export class TerminalError extends FederationError {
  constructor(code: ErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, { ...options, retry: 'never' });
  }
}

/** The text of anything that was thrown, with the texts of its causes. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${errorMessage(error.cause)}`;
}

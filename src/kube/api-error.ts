import { FederationError, type RetryAdvice } from '../lib/errors.js';

/** Why one field or one request was refused, as in `metav1.StatusCause`. */
export interface StatusCause {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly field?: string | undefined;
}

/** `metav1.StatusDetails`. */
export interface StatusDetails {
  readonly name?: string | undefined;
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly uid?: string | undefined;
  readonly causes?: readonly StatusCause[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** `metav1.Status`: how an API server says that something failed. */
export interface Status {
  readonly kind?: string | undefined;
  readonly status?: string | undefined;
  readonly message?: string | undefined;
  readonly reason?: string | undefined;
  readonly code?: number | undefined;
  readonly details?: StatusDetails | undefined;
}

/** HTTP codes that say that the request itself is wrong; sending it again gives the same answer. */
const HOPELESS_CODES: ReadonlySet<number> = new Set([400, 405, 406, 413, 415]);

/**
 * The API server answered, and its answer is a failure. Ask what kind with the predicates below, never with the text.
 * The message is the server's own.
 */
export class ApiError extends FederationError {
  /** The HTTP status code, or the code in the Status of an ERROR event. */
  readonly statusCode: number;
  /** Machine-readable reason, for instance `AlreadyExists`; empty when the answer was not a Status. */
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  /** How long the server asks to wait before the next try. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: Status,
    fallback: { statusCode: number; retryAfterSeconds?: number | undefined } = { statusCode: 500 },
  ) {
    const statusCode = status.code ?? fallback.statusCode;
    const retry: RetryAdvice = HOPELESS_CODES.has(statusCode) ? 'never' : 'backoff';
    super('API_ERROR', status.message || `the API server answered with HTTP ${statusCode}`, { retry });
    this.statusCode = statusCode;
    this.reason = status.reason ?? '';
    this.details = status.details;
    this.retryAfterSeconds = status.details?.retryAfterSeconds || fallback.retryAfterSeconds;
  }
}

/** What else is known of a failed answer. */
export interface FailureContext {
  readonly retryAfterSeconds?: number | undefined;
  /** What was sent may hold secrets, so the server's own words, which may quote it, are not repeated. */
  readonly confidential?: boolean | undefined;
}

/**
 * Reads an error out of a failed answer. A body that is not a Status (a proxy's page, say) is not quoted, and neither is
 * what a Status quotes of the request.
 */
export function apiErrorOf(statusCode: number, body: string, context: FailureContext = {}): ApiError {
  const { retryAfterSeconds, confidential = false } = context;
  const status = parseStatus(body) ?? {};
  const code = status.code ?? statusCode;
  const safe = confidential ? withoutValues(status, code) : { ...status, message: withoutBody(status.message, code) };
  return new ApiError(safe, { statusCode, retryAfterSeconds });
}

/** The value of a `Retry-After` header in seconds. The form with a date is ignored: no remote clock is trusted. */
export function parseRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

function parseStatus(body: string): Status | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(body) as Status;
    return value.kind === 'Status' ? value : undefined;
  } catch {
    // Not JSON: some proxy's answer. The HTTP code alone tells what happened.
    return undefined;
  }
}

/** A decoder's complaint about a body may end with the body, or with the part of it around the mistake. */
const QUOTED_BODY = /(\{|\.\.\.\|).*$/s;

function withoutBody(message: string | undefined, code: number): string | undefined {
  return code === 400 ? message?.replace(QUOTED_BODY, '…') : message;
}

/** What is wrong and where, without any value. */
function withoutValues(status: Status, code: number): Status {
  const { reason, details } = status;
  const causes = (details?.causes ?? []).map(({ reason: why, field }) => ({ reason: why, field }));
  const fields = causes.flatMap(({ field, reason: why }) =>
    field === undefined ? [] : [`${field}: ${why ?? 'wrong'}`],
  );
  const what = `the API server answered with HTTP ${code}${reason ? ` ${reason}` : ''}`;
  const message = fields.length > 0 ? `${what} (${fields.join(', ')})` : what;
  return { ...status, message, details: details && { ...details, causes } };
}

/** A known reason decides; the code only when the reason is unknown, since 409 and 410 have two meanings each. */
function is(error: unknown, statusCode: number, ...reasons: readonly string[]): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.reason === '' ? error.statusCode === statusCode : reasons.includes(error.reason);
}

/** 404: the object, or the whole resource type, doesn't exist. */
export function isNotFound(error: unknown): boolean {
  return is(error, 404, 'NotFound');
}

/** 409: the object changed since it was read, or a precondition of a delete doesn't hold. */
export function isConflict(error: unknown): boolean {
  return is(error, 409, 'Conflict');
}

/** 409 on create: an object of that name is there already. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'AlreadyExists';
}

/** 410 in general; for lists and watches see `isExpired`. */
export function isGone(error: unknown): boolean {
  return is(error, 410, 'Gone');
}

/** 410: the resource version or the continue token is too old; only a new list helps. */
export function isExpired(error: unknown): boolean {
  return is(error, 410, 'Expired', 'Gone');
}

/** The server doesn't know a resource version this high yet: it lags, or was restored from a backup. */
export function isResourceVersionTooLarge(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.details?.causes ?? []).some((cause) => cause.reason === 'ResourceVersionTooLarge')
  );
}

/** 429: the server, or a disruption budget, asks to come back later. */
export function isTooManyRequests(error: unknown): boolean {
  return error instanceof ApiError && (error.statusCode === 429 || error.reason === 'TooManyRequests');
}

/** 422: validation failed; also a strategic merge patch whose UID is not the object's. */
export function isInvalid(error: unknown): boolean {
  return is(error, 422, 'Invalid');
}

/** 400: the server could not make sense of the request; with strict field validation also an unknown field. */
export function isBadRequest(error: unknown): boolean {
  return is(error, 400, 'BadRequest');
}

/** 403: RBAC or admission says no. */
export function isForbidden(error: unknown): boolean {
  return is(error, 403, 'Forbidden');
}

/** 401: the credential is missing, wrong or expired. */
export function isUnauthorized(error: unknown): boolean {
  return is(error, 401, 'Unauthorized');
}

/** 405: the resource has no such verb. */
export function isMethodNotSupported(error: unknown): boolean {
  return is(error, 405, 'MethodNotAllowed');
}

/** 504, or the server's own "try again later": the work may still have been done. */
export function isServerTimeout(error: unknown): boolean {
  return is(error, 504, 'Timeout', 'ServerTimeout');
}

/** 500: something broke inside the server. */
export function isInternalError(error: unknown): boolean {
  return is(error, 500, 'InternalError');
}

/** 503: the server, or the backend of an aggregated API, is not ready. */
export function isServiceUnavailable(error: unknown): boolean {
  return is(error, 503, 'ServiceUnavailable');
}

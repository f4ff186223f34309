import { ApiError } from '../../kube/api-error.js';
import { errorMessage, FederationError } from '../../lib/errors.js';
import type { UnreachableReason } from './conditions.js';

/** Node's and OpenSSL's codes for a server certificate that can't be trusted. */
const CERTIFICATE_CODES = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Why a probe failed, as a reason for the Cluster's conditions. */
export function probeFailure(error: unknown): { readonly reason: UnreachableReason; readonly message: string } {
  return { reason: reasonOf(error), message: errorMessage(error) };
}

function reasonOf(error: unknown): UnreachableReason {
  if (error instanceof ApiError) {
    return error.statusCode === 401 || error.statusCode === 403 ? 'CredentialRefused' : 'MemberNotReady';
  }
  if (hasCode(error, CERTIFICATE_CODES)) return 'CertificateInvalid';
  if (!(error instanceof FederationError)) return 'ConnectionFailed';
  if (error.code === 'CREDENTIAL_FAILED') return 'CredentialRefused';
  return error.code === 'API_TIMEOUT' ? 'ProbeTimeout' : 'ConnectionFailed';
}

/** Looks through the chain of causes. */
function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && codes.has(cause.code)) return true;
  }
  return false;
}

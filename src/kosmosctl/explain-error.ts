import { ApiError, isForbidden, isNotFound } from '../kube/api-error.js';
import { KubeconfigError } from '../kube/kubeconfig.js';
import { TransportError } from '../kube/transport-error.js';
import { errorMessage, FederationError } from '../lib/errors.js';
import { CliError } from './failure.js';
import { originOf } from './origin.js';

const CERTIFICATE_CODES = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY/;
const UNAUTHORIZED = 401;

/** Any error as something that a person can act on: what, why, and what to do. Never holds a secret. */
export function explainError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const origin = originOf(error);
  const where = origin === undefined ? 'the API server' : `the API server of the ${origin.label} (${origin.server})`;
  if (error instanceof KubeconfigError) {
    return new CliError(errorMessage(error), { cause: error, cure: 'Correct the kubeconfig, or give another one.' });
  }
  if (error instanceof TransportError) return explainTransport(error, where);
  if (error instanceof ApiError) return explainAnswer(error, where);
  if (error instanceof FederationError && error.code === 'CREDENTIAL_FAILED') {
    return new CliError(errorMessage(error), { cause: error, cure: 'Correct the user of the kubeconfig.' });
  }
  return new CliError(errorMessage(error), { cause: error });
}

function explainTransport(error: TransportError, where: string): CliError {
  if (CERTIFICATE_CODES.test(codesOf(error).join(' '))) {
    return new CliError(`${where} shows a certificate that the kubeconfig doesn't trust: ${errorMessage(error)}`, {
      cause: error,
      cure: "Give the right certificate-authority-data, or an address that is in the server's certificate.",
    });
  }
  const what = error.code === 'API_TIMEOUT' ? 'does not answer in time' : "can't be reached";
  return new CliError(`${where} ${what}: ${errorMessage(error)}`, {
    cause: error,
    cure: 'Check the address in the kubeconfig, the network, firewalls, and whether the server runs.',
  });
}

function explainAnswer(error: ApiError, where: string): CliError {
  if (error.statusCode === UNAUTHORIZED) {
    return new CliError(`${where} doesn't accept the credential of the kubeconfig`, {
      cause: error,
      cure: 'It may have expired or been withdrawn; get a new kubeconfig.',
    });
  }
  if (isForbidden(error)) {
    if (isQuotaUsedUp(error)) {
      return new CliError(`${where} refuses: ${error.message}`, {
        cause: error,
        cure: 'Raise the quota that it names, or free some of it.',
      });
    }
    return new CliError(`${where} refuses: ${error.message}`, {
      cause: error,
      cure: 'Use a kubeconfig that may do this, for instance of a cluster-admin.',
    });
  }
  if (isNotFound(error) && isUnknownKind(error)) {
    return new CliError(`${where} knows no Clusters: Kosmos is not installed there`, {
      cause: error,
      cure: 'Run "kosmosctl install", or name the host cluster with its kubeconfig or context.',
    });
  }
  return new CliError(`${where} answers: ${error.message}`, { cause: error });
}

/** Admission by quota answers with 403 as missing rights do, and has no reason of its own (apiserver's resourcequota). */
function isQuotaUsedUp({ message }: ApiError): boolean {
  return message.includes(': exceeded quota: ');
}

/** Whether the API server doesn't know the kind; else it names the object that is not there. */
function isUnknownKind({ details }: ApiError): boolean {
  return details === undefined || (details.group === 'kosmos.io' && !details.name);
}

function codesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const code = (error as NodeJS.ErrnoException).code;
  return [...(code === undefined ? [] : [code]), ...codesOf(error.cause)];
}

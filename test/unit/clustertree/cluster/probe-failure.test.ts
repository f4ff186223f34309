import { expect } from 'chai';
import { probeFailure } from '../../../../src/clustertree/cluster/probe-failure.js';
import { TransportError } from '../../../../src/kube/transport-error.js';
import { FederationError } from '../../../../src/lib/errors.js';
import { apiError } from '../../../support/member-harness.js';

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function unreachable(cause?: unknown): TransportError {
  return new TransportError('API_UNREACHABLE', 'no connection', { cause, mayHaveArrived: false });
}

describe('probeFailure', () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['an API server that is not ready', apiError(500, '', 'etcd failed'), 'MemberNotReady'],
    ['a proxy without backend', apiError(503, ''), 'MemberNotReady'],
    ['an overloaded API server', apiError(429, 'TooManyRequests'), 'MemberNotReady'],
    ['an expired token', apiError(401, 'Unauthorized'), 'CredentialRefused'],
    ['a missing role', apiError(403, 'Forbidden'), 'CredentialRefused'],
    ['a credential that can not be got', new FederationError('CREDENTIAL_FAILED', 'no token'), 'CredentialRefused'],
    ['a deadline that passed', new TransportError('API_TIMEOUT', 'late', { mayHaveArrived: true }), 'ProbeTimeout'],
    ['a refused connection', unreachable(withCode('ECONNREFUSED')), 'ConnectionFailed'],
    ['an expired server certificate', unreachable(withCode('CERT_HAS_EXPIRED')), 'CertificateInvalid'],
    ['a certificate of another name', unreachable(withCode('ERR_TLS_CERT_ALTNAME_INVALID')), 'CertificateInvalid'],
    ['a certificate of an unknown authority', withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'CertificateInvalid'],
    ['a certificate deep in the causes', unreachable(unreachable(withCode('CERT_UNTRUSTED'))), 'CertificateInvalid'],
    ['an error that nobody foresaw', new TypeError('oops'), 'ConnectionFailed'],
    ['something that is no error', 'oops', 'ConnectionFailed'],
  ];

  for (const [what, error, reason] of cases) {
    it(`takes ${what} for ${reason}`, () => {
      expect(probeFailure(error).reason).to.equal(reason);
    });
  }

  it('gives the whole chain of messages', () => {
    expect(probeFailure(unreachable(new Error('connect ECONNREFUSED 10.0.0.1:6443'))).message).to.equal(
      'no connection: connect ECONNREFUSED 10.0.0.1:6443',
    );
  });
});

import { expect } from 'chai';
import type { ApiError } from '../../../src/kube/api-error.js';
import {
  apiErrorOf,
  isAlreadyExists,
  isBadRequest,
  isConflict,
  isExpired,
  isForbidden,
  isGone,
  isInternalError,
  isInvalid,
  isMethodNotSupported,
  isNotFound,
  isResourceVersionTooLarge,
  isServerTimeout,
  isServiceUnavailable,
  isTooManyRequests,
  isUnauthorized,
  parseRetryAfter,
} from '../../../src/kube/api-error.js';

const predicates = {
  isAlreadyExists,
  isBadRequest,
  isConflict,
  isExpired,
  isForbidden,
  isGone,
  isInternalError,
  isInvalid,
  isMethodNotSupported,
  isNotFound,
  isResourceVersionTooLarge,
  isServerTimeout,
  isServiceUnavailable,
  isTooManyRequests,
  isUnauthorized,
};

function holding(error: unknown): string[] {
  return Object.entries(predicates)
    .filter(([, predicate]) => predicate(error))
    .map(([name]) => name);
}

function status(code: number, reason: string, more: object = {}): ApiError {
  return apiErrorOf(code, JSON.stringify({ kind: 'Status', code, reason, message: 'm', ...more }));
}

describe('ApiError', () => {
  const table: readonly (readonly [number, string, readonly string[]])[] = [
    [400, 'BadRequest', ['isBadRequest']],
    [401, 'Unauthorized', ['isUnauthorized']],
    [403, 'Forbidden', ['isForbidden']],
    [404, 'NotFound', ['isNotFound']],
    [405, 'MethodNotAllowed', ['isMethodNotSupported']],
    [409, 'Conflict', ['isConflict']],
    [409, 'AlreadyExists', ['isAlreadyExists']],
    [410, 'Gone', ['isExpired', 'isGone']],
    [410, 'Expired', ['isExpired']],
    [422, 'Invalid', ['isInvalid']],
    [429, 'TooManyRequests', ['isTooManyRequests']],
    [500, 'InternalError', ['isInternalError']],
    [500, 'ServerTimeout', ['isServerTimeout']],
    [503, 'ServiceUnavailable', ['isServiceUnavailable']],
    [504, 'Timeout', ['isServerTimeout']],
    [418, 'SomethingNew', []],
  ];
  for (const [code, reason, expected] of table) {
    it(`knows ${code} ${reason}`, () => {
      expect(holding(status(code, reason))).to.deep.equal(expected);
    });
  }

  it('goes by the HTTP code when the answer is no Status', () => {
    expect(holding(apiErrorOf(404, '<html>not here</html>'))).to.deep.equal(['isNotFound']);
    expect(holding(apiErrorOf(410, ''))).to.deep.equal(['isExpired', 'isGone']);
    expect(holding(apiErrorOf(409, '{"kind":"Other"}'))).to.deep.equal(['isConflict']);
  });

  it('does not take a 409 of unknown meaning for an existing object', () => {
    expect(isAlreadyExists(apiErrorOf(409, ''))).to.equal(false);
  });

  it('says no to anything that is no ApiError', () => {
    for (const other of [undefined, null, 'NotFound', new Error('NotFound'), { statusCode: 404 }]) {
      expect(holding(other)).to.deep.equal([]);
    }
  });

  it('tells a version that the server does not know yet by its cause', () => {
    const error = status(504, 'Timeout', { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } });
    expect(isResourceVersionTooLarge(error)).to.equal(true);
  });

  it('carries message, details and the time to wait', () => {
    const error = status(429, 'TooManyRequests', {
      message: 'slow down',
      details: { name: 'x', retryAfterSeconds: 7 },
    });
    expect(error.message).to.equal('slow down');
    expect(error.statusCode).to.equal(429);
    expect(error.reason).to.equal('TooManyRequests');
    expect(error.details?.name).to.equal('x');
    expect(error.retryAfterSeconds).to.equal(7);
    expect(error.code).to.equal('API_ERROR');
  });

  it('takes the time to wait from the header when the Status has none', () => {
    expect(apiErrorOf(503, 'busy', { retryAfterSeconds: 3 }).retryAfterSeconds).to.equal(3);
  });

  it('never quotes a body that is not a Status', () => {
    expect(apiErrorOf(502, 'Authorization: Bearer abc').message).to.equal('the API server answered with HTTP 502');
    expect(apiErrorOf(502, '{"token":"abc"').message).to.equal('the API server answered with HTTP 502');
  });

  it('cuts what a decoder quotes of the request', () => {
    const messages = [
      'Object \'Kind\' is missing in \'{"data":{"password":"abc"}}\'',
      'invalid character, error found in #10 byte of ...|"password":abc|..., bigger context ...|"abc"|...',
    ];
    for (const message of messages) {
      const error = status(400, 'BadRequest', { message });
      expect(error.message).to.not.contain('abc');
      expect(error.message).to.match(
        /^(Object 'Kind' is missing in '|invalid character, error found in #10 byte of )…$/,
      );
    }
  });

  it('leaves a field that a decoder does not know', () => {
    const message = 'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.x"';
    expect(status(400, 'BadRequest', { message }).message).to.equal(message);
  });

  it('names fields, and no value, when the request was confidential', () => {
    const causes = [{ reason: 'FieldValueInvalid', field: 'data[a]', message: 'Invalid value: "hunter2"' }];
    const body = { kind: 'Status', code: 422, reason: 'Invalid', message: 'data[a]: "hunter2"', details: { causes } };
    const error = apiErrorOf(422, JSON.stringify(body), { confidential: true });
    expect(error.message).to.equal('the API server answered with HTTP 422 Invalid (data[a]: FieldValueInvalid)');
    expect(JSON.stringify(error.details)).to.not.contain('hunter2');
    expect(isInvalid(error)).to.equal(true);
  });

  it('says what went wrong with a confidential request that has no fields', () => {
    const body = JSON.stringify({ kind: 'Status', code: 409, reason: 'AlreadyExists', message: 'hunter2' });
    const error = apiErrorOf(409, body, { confidential: true });
    expect([error.message, isAlreadyExists(error)]).to.deep.equal([
      'the API server answered with HTTP 409 AlreadyExists',
      true,
    ]);
  });

  it('advises against trying again only where the request itself is wrong', () => {
    expect(status(400, 'BadRequest').retry).to.equal('never');
    expect(status(415, 'UnsupportedMediaType').retry).to.equal('never');
    for (const code of [403, 404, 409, 422, 429, 500, 503]) expect(status(code, 'x').retry).to.equal('backoff');
  });
});

describe('parseRetryAfter', () => {
  it('reads whole seconds', () => {
    expect(parseRetryAfter('0')).to.equal(0);
    expect(parseRetryAfter('17')).to.equal(17);
  });

  it('ignores dates, signs, fractions and absurd numbers', () => {
    for (const text of [undefined, '', '-1', '1.5', 'Wed, 21 Oct 2026 07:28:00 GMT', '9999999999']) {
      expect(parseRetryAfter(text)).to.equal(undefined);
    }
  });
});

import { expect } from 'chai';
import { apiErrorOf } from '../../../src/kube/api-error.js';
import { isTransportError, TransportError } from '../../../src/kube/transport-error.js';

describe('TransportError', () => {
  it('says what happened, why, and whether the request may have arrived', () => {
    const cause = new Error('refused');
    const error = new TransportError('API_UNREACHABLE', 'cannot connect', { cause, mayHaveArrived: false });
    expect(error).to.include({ code: 'API_UNREACHABLE', cause, mayHaveArrived: false, retry: 'backoff' });
  });

  it('is told from answers of the server', () => {
    const error = new TransportError('API_TIMEOUT', 'late', { mayHaveArrived: true });
    expect([error, apiErrorOf(504, ''), new Error('x'), undefined].map(isTransportError)).to.deep.equal([
      true,
      false,
      false,
      false,
    ]);
  });
});

import { expect } from 'chai';
import { informerProblem, type InformerHealth } from '../../../../src/clustertree/cluster/informer-problem.js';
import { apiError } from '../../../support/member-harness.js';

describe('informerProblem', () => {
  const healthy: InformerHealth = { hasSynced: true, lastError: undefined, lastSyncAgeMs: 0 };
  const lastError = apiError(403, 'Forbidden', 'pods is forbidden');

  it('finds none while all caches are kept up to date', () => {
    expect(informerProblem([healthy, healthy])).to.be.undefined;
  });

  it('finds none while the first list is under way', () => {
    expect(informerProblem([{ hasSynced: false, lastError: undefined, lastSyncAgeMs: Infinity }])).to.be.undefined;
  });

  it('gives the words of the API server that refuses the first list', () => {
    const refused = { hasSynced: false, lastError, lastSyncAgeMs: Infinity };
    expect(informerProblem([healthy, refused])).to.equal('pods is forbidden');
  });

  it('waits ten seconds before it complains of a watch that broke', () => {
    const broken = { hasSynced: true, lastError };
    expect(informerProblem([{ ...broken, lastSyncAgeMs: 9_999 }])).to.be.undefined;
    expect(informerProblem([{ ...broken, lastSyncAgeMs: 10_000 }])).to.equal('pods is forbidden');
  });
});

import { expect } from 'chai';
import { sourceOf, type SourceCache } from '../../../../src/clusterlink/cluster/source.js';
import { TransportError } from '../../../../src/kube/transport-error.js';
import { apiError } from '../../../support/member-harness.js';

function cache(more: Partial<SourceCache<string>> = {}): SourceCache<string> {
  return { hasSynced: true, connected: true, lastError: undefined, store: { list: () => ['a'] }, ...more };
}

const NOT_FOUND = apiError(404, 'NotFound', 'no such kind');
const FORBIDDEN = apiError(403, 'Forbidden', 'not for you');

describe('what is known of one kind of objects', () => {
  it('is all of them while they are watched', () => {
    expect(sourceOf(cache())).to.deep.equal({ state: 'known', objects: ['a'] });
  });

  it('is what it was while the cluster does not answer', () => {
    const lastError = new TransportError('API_UNREACHABLE', 'gone', { mayHaveArrived: false });
    expect(sourceOf(cache({ connected: false, lastError }))).to.deep.equal({ state: 'known', objects: ['a'] });
  });

  it('is nothing before the first list', () => {
    expect(sourceOf(cache({ hasSynced: false, connected: false }))).to.deep.equal({ state: 'unknown', objects: [] });
  });

  it('is nothing, and why, when the cluster has never answered', () => {
    const lastError = new TransportError('API_UNREACHABLE', 'gone', { mayHaveArrived: false });
    const source = sourceOf(cache({ hasSynced: false, connected: false, lastError }));
    expect(source).to.deep.equal({ state: 'unknown', objects: [], message: 'gone' });
  });

  it('is that there are none when the cluster does not have the kind', () => {
    const source = sourceOf(cache({ hasSynced: false, connected: false, lastError: NOT_FOUND }));
    expect(source).to.deep.equal({ state: 'absent', objects: [], message: 'no such kind' });
  });

  it('is that there are none when the kind was removed', () => {
    expect(sourceOf(cache({ connected: false, lastError: NOT_FOUND })).state).to.equal('absent');
  });

  it('is that there are none for us when we may not see them', () => {
    const source = sourceOf(cache({ hasSynced: false, connected: false, lastError: FORBIDDEN }));
    expect(source).to.deep.equal({ state: 'absent', objects: [], message: 'not for you' });
  });

  it('stays when a right is lost later', () => {
    expect(sourceOf(cache({ connected: false, lastError: FORBIDDEN })).state).to.equal('known');
  });
});

import { expect } from 'chai';
import { type AbortScope, type AbortSource, openAbortScope } from '../../../src/kube/abort-scope.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('openAbortScope', () => {
  let clock: FakeClock;
  const late = new Error('too late');

  beforeEach(() => {
    clock = new FakeClock();
  });

  function open(sources: readonly AbortSource[]): AbortScope {
    return openAbortScope(sources, { clock, timeoutMs: 1000, error: () => late });
  }

  it('is aborted by the first of its sources, with its reason', () => {
    const [a, b] = [new AbortController(), new AbortController()];
    const scope = open([{ signal: a.signal }, { signal: b.signal }, { signal: undefined }]);
    b.abort(new Error('b'));
    a.abort(new Error('a'));
    expect(scope.signal.reason).to.have.property('message', 'b');
    scope.dispose();
  });

  it('is aborted from the start when a source is', () => {
    const scope = open([{ signal: AbortSignal.abort(new Error('before')) }]);
    expect(scope.signal.reason).to.have.property('message', 'before');
    scope.dispose();
  });

  it('turns the reason of a source into another error', () => {
    const source = new AbortController();
    const scope = open([{ signal: source.signal, error: () => new Error('translated') }]);
    source.abort();
    expect(scope.signal.reason).to.have.property('message', 'translated');
    scope.dispose();
  });

  it('is aborted at its deadline', async () => {
    const scope = open([]);
    await clock.advance(999);
    expect([scope.signal.aborted, scope.remainingMs()]).to.deep.equal([false, 1]);
    await clock.advance(1);
    expect(scope.signal.reason).to.equal(late);
  });

  it('leaves neither timer nor effect behind', () => {
    const source = new AbortController();
    const scope = open([{ signal: source.signal }]);
    scope.dispose();
    source.abort();
    expect([scope.signal.aborted, clock.pendingTimers]).to.deep.equal([false, 0]);
  });
});

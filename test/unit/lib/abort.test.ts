import { expect } from 'chai';
import { aborted, isAborted } from '../../../src/lib/abort.js';

describe('aborted', () => {
  it('resolves when the signal is aborted, not before', async () => {
    const stop = new AbortController();
    let done = false;
    const waiting = aborted(stop.signal).then(() => (done = true));
    await Promise.resolve();
    expect([isAborted(stop.signal), done]).to.deep.equal([false, false]);
    stop.abort();
    await waiting;
    expect([isAborted(stop.signal), done]).to.deep.equal([true, true]);
  });

  it('resolves at once when the signal was aborted before', () => aborted(AbortSignal.abort()));
});

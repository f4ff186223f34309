import { expect } from 'chai';
import { SharedCall, untilAborted } from '../../../src/kube/shared-call.js';
import { settle } from '../../support/fake-clock.js';

describe('SharedCall', () => {
  const never = new AbortController().signal;

  it('makes one call for all that ask at the same time', async () => {
    const shared = new SharedCall<number>();
    let calls = 0;
    const call = async (): Promise<number> => {
      await settle();
      return ++calls;
    };
    expect(await Promise.all([shared.join(call, never), shared.join(call, never)])).to.deep.equal([1, 1]);
    expect(await shared.join(call, never)).to.equal(2);
  });

  it('gives all of them the failure, and tries again afterwards', async () => {
    const shared = new SharedCall<number>();
    const fail = (): Promise<number> => Promise.reject(new Error('no'));
    const results = await Promise.allSettled([shared.join(fail, never), shared.join(fail, never)]);
    expect(results.map((result) => result.status)).to.deep.equal(['rejected', 'rejected']);
    expect(await shared.join(() => Promise.resolve(1), never)).to.equal(1);
  });

  it('lets one give up while the others wait on', async () => {
    const shared = new SharedCall<number>();
    const giveUp = new AbortController();
    let finish = (_value: number): void => undefined;
    const call = (): Promise<number> =>
      new Promise((resolve) => {
        finish = resolve;
      });
    const first = shared.join(call, giveUp.signal);
    const second = shared.join(call, never);
    const reason = new Error('enough');
    giveUp.abort(reason);
    expect(await first.catch((error: unknown) => error)).to.equal(reason);
    finish(7);
    expect(await second).to.equal(7);
  });
});

describe('untilAborted', () => {
  it('rejects at once when the signal is aborted already', async () => {
    const reason = new Error('early');
    const promise = untilAborted(new Promise<never>(() => undefined), AbortSignal.abort(reason));
    expect(await promise.catch((error: unknown) => error)).to.equal(reason);
  });
});

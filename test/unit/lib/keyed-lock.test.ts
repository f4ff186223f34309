import { expect } from 'chai';
import { KeyedLock } from '../../../src/lib/keyed-lock.js';

describe('KeyedLock', () => {
  it('runs one task of a key at a time, in order, and those of other keys beside it', async () => {
    const lock = new KeyedLock();
    const seen: string[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const task = (name: string, wait: Promise<void>) => async (): Promise<string> => {
      seen.push(`${name} begins`);
      await wait;
      seen.push(`${name} ends`);
      return name;
    };
    const first = lock.run('a', task('first', gate));
    const second = lock.run('a', task('second', Promise.resolve()));
    expect(await lock.run('b', task('other', Promise.resolve()))).to.equal('other');
    release();
    expect(await Promise.all([first, second])).to.deep.equal(['first', 'second']);
    expect(seen).to.deep.equal([
      ...['first begins', 'other begins', 'other ends'],
      ...['first ends', 'second begins', 'second ends'],
    ]);
  });

  it('goes on after a failure, which only its own caller hears of', async () => {
    const lock = new KeyedLock();
    const failing = lock.run('a', () => Promise.reject(new Error('no')));
    const next = lock.run('a', () => Promise.resolve(1));
    const failure = await failing.catch((error: unknown) => (error as Error).message);
    expect([failure, await next]).to.deep.equal(['no', 1]);
  });

  it('is busy as long as a task runs or waits, and forgets the key then', async () => {
    const lock = new KeyedLock();
    expect(lock.isBusy('a')).to.be.false;
    const first = lock.run('a', () => Promise.resolve());
    const second = lock.run('a', () => Promise.resolve());
    expect(lock.isBusy('a')).to.be.true;
    await first;
    expect(lock.isBusy('a')).to.be.true;
    await second;
    expect([lock.isBusy('a'), lock.isBusy('b')]).to.deep.equal([false, false]);
  });
});

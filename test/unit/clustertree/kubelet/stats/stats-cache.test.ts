import { expect } from 'chai';
import { StatsCache, STATS_TTL_MS } from '../../../../../src/clustertree/kubelet/stats/stats-cache.js';
import { FakeClock, settle } from '../../../../support/fake-clock.js';

interface Value {
  readonly text: string;
}

describe('StatsCache', () => {
  let clock: FakeClock;
  let cache: StatsCache<Value>;
  let fetches: number;

  beforeEach(() => {
    clock = new FakeClock();
    cache = new StatsCache(clock, ({ text }) => text.length);
    fetches = 0;
  });

  const fetch = (): Promise<Value> => {
    fetches += 1;
    return Promise.resolve({ text: `answer ${fetches}` });
  };
  const get = async (key = 'a'): Promise<string> => (await cache.get(key, fetch)).text;

  it('keeps a value for its time, from the very start of the clock on', async () => {
    expect(await get()).to.equal('answer 1');
    await clock.advance(STATS_TTL_MS);
    expect(await get()).to.equal('answer 1');
    await clock.advance(1);
    expect(await get()).to.equal('answer 2');
  });

  it('counts the time from when the value was there', async () => {
    let arrive: (value: Value) => void = () => undefined;
    const slow = cache.get('a', () => new Promise((resolve) => (arrive = resolve)));
    await clock.advance(STATS_TTL_MS);
    arrive({ text: 'late' });
    await slow;
    await clock.advance(STATS_TTL_MS - 1);
    expect(await get()).to.equal('late');
  });

  it('keeps values of different keys apart', async () => {
    expect([await get('a'), await get('b'), await get('a')]).to.deep.equal(['answer 1', 'answer 2', 'answer 1']);
  });

  it('lets all who ask at the same time share one fetch', async () => {
    expect(await Promise.all([get(), get(), get()])).to.deep.equal(['answer 1', 'answer 1', 'answer 1']);
  });

  it('tells a failure to all who share it, and keeps it not', async () => {
    const fail = (): Promise<Value> => Promise.reject(new Error('no answer'));
    const outcomes = await Promise.allSettled([cache.get('a', fail), cache.get('a', fail)]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect(await get()).to.equal('answer 1');
  });

  it('keeps nothing that is too large, and still gives it', async () => {
    const large = { text: 'x'.repeat(65 * 1024 * 1024) };
    expect(await cache.get('a', () => Promise.resolve(large))).to.equal(large);
    expect(await get()).to.equal('answer 1');
  });

  it('keeps an empty text too', async () => {
    await cache.get('a', () => Promise.resolve({ text: '' }));
    expect(await get()).to.equal('');
  });

  it('leaves no timer behind', async () => {
    await get();
    await settle();
    expect(clock.pendingTimers).to.equal(0);
  });
});

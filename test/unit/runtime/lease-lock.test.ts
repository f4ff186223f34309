import { expect } from 'chai';
import type { Lease } from '../../../src/apis/core.js';
import { ApiError } from '../../../src/kube/api-error.js';
import { leases } from '../../../src/kube/resource.js';
import { LeaseLock } from '../../../src/runtime/lease-lock.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';

const ref = { namespace: 'kosmos-system', name: 'kosmos-manager' };
const { signal } = new AbortController();

describe('LeaseLock', () => {
  let clock: FakeClock;
  let client: FakeKubeClient;

  const lock = (identity: string): LeaseLock =>
    new LeaseLock({ client, clock, lease: ref, identity, leaseDurationMs: 14_500 });
  const spec = (): Lease['spec'] => client.peek(leases, ref)?.spec;
  const verbs = (): string[] => client.calls.splice(0).map(({ verb }) => verb);

  beforeEach(() => {
    clock = new FakeClock(Date.parse('2026-05-01T10:00:00Z'));
    client = new FakeKubeClient({ clock });
  });

  it('reads first, then renews with updates only', async () => {
    const mine = lock('a');
    await mine.acquireOrRenew(signal);
    expect(verbs()).to.deep.equal(['get', 'create']);
    await clock.advance(2000);
    expect(await mine.acquireOrRenew(signal)).to.deep.equal({
      held: true,
      sentAt: { monotonicMs: 2000, wallMs: clock.now() },
    });
    expect(verbs()).to.deep.equal(['update']);
  });

  it('writes the duration in whole seconds, never less than it waits', async () => {
    await lock('a').acquireOrRenew(signal);
    expect(spec()?.leaseDurationSeconds).to.equal(15);
  });

  it('knows nobody before it has looked, then the holder, and nobody after a release', async () => {
    const [mine, other] = [lock('a'), lock('b')];
    expect(other.holder).to.equal(undefined);
    await mine.acquireOrRenew(signal);
    expect(await other.acquireOrRenew(signal)).to.deep.equal({ held: false, holder: 'a' });
    expect(other.holder).to.equal('a');
    await mine.release(signal);
    expect(mine.holder).to.equal(undefined);
  });

  it('starts to wait anew with every change of the record', async () => {
    const [mine, other] = [lock('a'), lock('b')];
    for (let i = 0; i < 10; i++) {
      await mine.acquireOrRenew(signal);
      expect(await other.acquireOrRenew(signal)).to.have.property('held', false);
      await clock.advance(14_000);
    }
    expect(await other.acquireOrRenew(signal)).to.have.property('held', false);
    await clock.advance(1000);
    expect(await other.acquireOrRenew(signal)).to.have.property('held', true);
    expect(spec()?.leaseTransitions).to.equal(1);
  });

  it('does not start to wait anew when only labels change', async () => {
    const [mine, other] = [lock('a'), lock('b')];
    await mine.acquireOrRenew(signal);
    await other.acquireOrRenew(signal);
    for (let i = 0; i < 3; i++) {
      await clock.advance(5000);
      client.edit(leases, ref, { metadata: { labels: { round: `${i}` } } });
      await other.acquireOrRenew(signal);
    }
    expect(other.holder).to.equal('b');
  });

  it('looks again when the Lease was changed or deleted since it was written', async () => {
    const mine = lock('a');
    await mine.acquireOrRenew(signal);
    verbs();
    client.edit(leases, ref, { metadata: { labels: { a: 'b' } } });
    expect(await mine.acquireOrRenew(signal)).to.have.property('held', true);
    expect(verbs()).to.deep.equal(['update', 'get', 'update']);
    client.erase(leases, ref);
    expect(await mine.acquireOrRenew(signal)).to.have.property('held', true);
    expect(verbs()).to.deep.equal(['update', 'get', 'create']);
  });

  it('loses a race for a free Lease with an error, not with two holders', async () => {
    const [mine, other] = [lock('a'), lock('b')];
    const outcomes = await Promise.allSettled([mine.acquireOrRenew(signal), other.acquireOrRenew(signal)]);
    expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    const [loser] = outcomes[0].status === 'rejected' ? [mine] : [other];
    expect(await loser.acquireOrRenew(signal)).to.have.property('held', false);
  });

  it('takes its own Lease back without waiting, as the same term', async () => {
    await lock('a').acquireOrRenew(signal);
    await clock.advance(1000);
    const again = lock('a');
    expect(await again.acquireOrRenew(signal)).to.have.property('held', true);
    expect(spec()).to.include({ leaseTransitions: 0, acquireTime: '2026-05-01T10:00:00.000000Z' });
  });

  it('takes a record without holder, times and transitions', async () => {
    client.seed(leases, { metadata: ref });
    expect(await lock('a').acquireOrRenew(signal)).to.have.property('held', true);
    expect(spec()).to.include({ holderIdentity: 'a', leaseTransitions: 1 });
  });

  it('waits its own duration for a holder that states none', async () => {
    client.seed(leases, { metadata: ref, spec: { holderIdentity: 'x' } });
    const mine = lock('a');
    expect(await mine.acquireOrRenew(signal)).to.deep.equal({ held: false, holder: 'x' });
    await clock.advance(14_499);
    expect(await mine.acquireOrRenew(signal)).to.have.property('held', false);
    await clock.advance(1);
    expect(await mine.acquireOrRenew(signal)).to.have.property('held', true);
  });

  for (const verb of ['get', 'update'] as const) {
    it(`rejects when the ${verb} fails`, async () => {
      client.seed(leases, { metadata: ref, spec: {} });
      const error = new ApiError({ code: 500, reason: 'InternalError' }, { statusCode: 500 });
      client.fail({ verb, error });
      expect(
        await lock('a')
          .acquireOrRenew(signal)
          .catch((caught: unknown) => caught),
      ).to.equal(error);
    });
  }

  it('does not look again when a renewal failed for another reason than a change', async () => {
    const mine = lock('a');
    await mine.acquireOrRenew(signal);
    verbs();
    client.fail({ verb: 'update', error: new Error('connection reset') });
    await mine.acquireOrRenew(signal).catch(() => undefined);
    expect(verbs()).to.deep.equal(['update']);
  });

  it('writes nothing after it was given up while it read', async () => {
    const abort = new AbortController();
    client.seed(leases, { metadata: ref, spec: {} });
    client.intercept = () => abort.abort(new Error('given up'));
    const mine = new LeaseLock({
      client: {
        get: (type, object) => client.get(type, object),
        create: (type, object) => client.create(type, object),
        update: (type, object) => client.update(type, object),
      },
      ...{ clock, lease: ref, identity: 'a', leaseDurationMs: 15_000 },
    });
    const error: unknown = await mine.acquireOrRenew(abort.signal).catch((caught: unknown) => caught);
    expect((error as Error).message).to.equal('given up');
    expect(verbs()).to.deep.equal(['get']);
  });

  it('keeps the number of transitions when it releases', async () => {
    client.seed(leases, { metadata: ref, spec: { holderIdentity: 'a', leaseTransitions: 7 } });
    await lock('a').release(signal);
    expect(spec()).to.include({ holderIdentity: '', leaseTransitions: 7, leaseDurationSeconds: 1 });
  });
});

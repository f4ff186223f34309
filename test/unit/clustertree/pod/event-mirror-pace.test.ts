import { expect } from 'chai';
import type { Event, Pod } from '../../../../src/apis/core.js';
import { HOST_UID_ANNOTATION } from '../../../../src/apis/names.js';
import { EventMirror, type EventMirrorOptions } from '../../../../src/clustertree/pod/event-mirror.js';
import { events } from '../../../../src/kube/resource.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { hostPod, memberPod } from '../../../support/pods.js';

const SIGNAL = new AbortController().signal;

function event(name: string, more: Partial<Event> = {}): Event {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace: 'shop', name },
    involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web-0', uid: 'member-uid' },
    type: 'Normal',
    reason: 'Pulled',
    message: `about ${name}`,
    ...more,
  };
}

describe('the pace of mirrored events', () => {
  let clock: FakeClock;
  let host: FakeKubeClient;
  let present: { host: Pod | undefined; member: Pod | undefined };
  let dropped: number;

  beforeEach(() => {
    clock = new FakeClock();
    host = new FakeKubeClient();
    dropped = 0;
    present = {
      host: hostPod(),
      member: memberPod({
        metadata: {
          name: 'web-0',
          namespace: 'shop',
          uid: 'member-uid',
          annotations: { [HOST_UID_ANNOTATION]: 'host-uid' },
        },
      }),
    };
  });

  function create(more: Partial<EventMirrorOptions> = {}): EventMirror {
    return new EventMirror({
      host,
      clusterName: 'member1',
      hostPod: () => present.host,
      memberPod: () => present.member,
      onDropped: () => (dropped += 1),
      clock,
      ...more,
    });
  }

  function written(): string[] {
    return host.calls.filter(({ verb }) => verb === 'create').map(({ body }) => (body as Event).metadata.name ?? '');
  }

  it('keeps a pace: a burst at once, the rest one by one', async () => {
    const mirror = create({ pace: { perSecond: 10, burst: 2 } });
    const keys = ['a', 'b', 'c', 'd'].map((name) => mirror.offer(event(name)) ?? '');
    const done = Promise.all(keys.map((key) => mirror.reconcile(key, { signal: SIGNAL })));
    await clock.advance(0);
    expect(written()).to.have.length(2);
    await clock.advance(100);
    expect(written()).to.have.length(3);
    await clock.advance(100);
    await done;
    expect(written()).to.have.members(['a', 'b', 'c', 'd']);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('stops waiting for its turn when it is told to', async () => {
    const mirror = create({ pace: { perSecond: 1, burst: 1 } });
    const stop = new AbortController();
    await mirror.reconcile(mirror.offer(event('a')) ?? '', { signal: SIGNAL });
    const waiting = mirror.reconcile(mirror.offer(event('b')) ?? '', { signal: stop.signal });
    stop.abort(new Error('stop'));
    const reason = await waiting.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(reason).to.equal(stop.signal.reason);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('writes what is the latest when its turn comes', async () => {
    const mirror = create({ pace: { perSecond: 10, burst: 1 } });
    await mirror.reconcile(mirror.offer(event('a')) ?? '', { signal: SIGNAL });
    const key = mirror.offer(event('b')) ?? '';
    const waiting = mirror.reconcile(key, { signal: SIGNAL });
    mirror.offer(event('b', { message: 'newer' }));
    await clock.advance(100);
    await waiting;
    expect((await host.get(events, { namespace: 'shop', name: 'b' })).message).to.equal('newer');
  });

  it('spends no turn on a pod that is gone', async () => {
    const mirror = create({ pace: { perSecond: 1, burst: 1 } });
    const gone = ['a', 'b', 'c'].map((name) => mirror.offer(event(name)) ?? '');
    const { host: pod } = present;
    present.host = undefined;
    for (const key of gone) await mirror.reconcile(key, { signal: SIGNAL });
    present.host = pod;
    await mirror.reconcile(mirror.offer(event('d')) ?? '', { signal: SIGNAL });
    expect(written()).to.deep.equal(['d']);
  });

  it('writes nothing about a pod that went away while the event waited', async () => {
    const mirror = create({ pace: { perSecond: 10, burst: 1 } });
    await mirror.reconcile(mirror.offer(event('a')) ?? '', { signal: SIGNAL });
    const waiting = mirror.reconcile(mirror.offer(event('b')) ?? '', { signal: SIGNAL });
    present.host = undefined;
    await clock.advance(100);
    await waiting;
    expect(written()).to.deep.equal(['a']);
  });

  it('drops ordinary events when too many wait, and counts them; warnings and repetitions still go', () => {
    const mirror = create({ maxPending: 1 });
    expect(mirror.offer(event('a'))).to.equal('shop/a');
    expect(mirror.offer(event('b'))).to.equal(undefined);
    expect(dropped).to.equal(1);
    expect(mirror.offer(event('c', { type: 'Warning' }))).to.equal('shop/c');
    expect(mirror.offer(event('a', { count: 2 }))).to.equal('shop/a');
    expect(dropped).to.equal(1);
  });
});

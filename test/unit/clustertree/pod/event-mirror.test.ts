import { expect } from 'chai';
import type { Event, Pod } from '../../../../src/apis/core.js';
import { EventMirror, mirroredEvent, type EventMirrorOptions } from '../../../../src/clustertree/pod/event-mirror.js';
import { events } from '../../../../src/kube/resource.js';
import { apiError, MemberHarness } from '../../../support/member-harness.js';
import { hostPod, memberPod } from '../../../support/pods.js';

const REF = { namespace: 'shop', name: 'web-0.17' };

function memberEvent(more: Partial<Event> = {}): Event {
  return {
    metadata: { namespace: 'shop', name: 'web-0.17', uid: 'event-uid' },
    involvedObject: {
      kind: 'Pod',
      namespace: 'shop',
      name: 'web-0',
      uid: 'member-uid',
      fieldPath: 'spec.containers{app}',
    },
    type: 'Normal',
    reason: 'Pulled',
    message: 'Container image is present',
    source: { component: 'kubelet', host: 'n1' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
    ...more,
  };
}

describe('mirroredEvent', () => {
  const event = mirroredEvent(memberEvent(), hostPod(), 'member1');

  it('is about the host pod', () => {
    expect(event.involvedObject).to.deep.equal({
      ...{ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-0', uid: 'host-uid' },
      fieldPath: 'spec.containers{app}',
    });
  });

  it('keeps its name, and what it says', () => {
    expect(event).to.deep.include({
      type: 'Normal',
      reason: 'Pulled',
      message: 'Container image is present',
      count: 1,
    });
    expect(event.metadata).to.deep.equal({ ...REF, labels: { 'kosmos.io/cluster': 'member1' } });
    expect(event.source).to.deep.equal({ component: 'kubelet', host: 'n1' });
  });

  it('keeps the form of a newer kind of event', () => {
    const series = { count: 3, lastObservedTime: '2026-01-01T00:00:00.000000Z' };
    const newer = memberEvent({
      series,
      action: 'Scheduling',
      reportingComponent: 'scheduler',
      reportingInstance: 's1',
    });
    expect(mirroredEvent(newer, hostPod(), 'member1')).to.deep.include({
      ...{ series, action: 'Scheduling', reportingComponent: 'scheduler', reportingInstance: 's1' },
    });
  });
});

describe('EventMirror', () => {
  let harness: MemberHarness;
  let mirror: EventMirror;
  let host: Pod | undefined;
  let member: Pod | undefined;
  let dropped: number;

  beforeEach(() => {
    harness = new MemberHarness();
    [host, member, dropped] = [hostPod(), memberPod(), 0];
    make();
  });

  afterEach(() => harness.end());

  function make(more: Partial<EventMirrorOptions> = {}): void {
    mirror = new EventMirror({
      ...{ host: harness.host, clusterName: 'member1', hostPod: () => host, memberPod: () => member },
      onDropped: () => (dropped += 1),
      clock: harness.clock,
      ...more,
    });
  }

  async function copy(event: Event): Promise<void> {
    const key = mirror.offer(event);
    if (key !== undefined) await mirror.reconcile(key, harness.context);
  }

  function now(): Event | undefined {
    return harness.host.peek(events, REF);
  }

  it('copies an event to the host pod', async () => {
    await copy(memberEvent());
    expect(now()?.involvedObject).to.include({ name: 'web-0', uid: 'host-uid' });
  });

  it('updates its copy of an event that is repeated', async () => {
    await copy(memberEvent());
    await copy(memberEvent({ count: 4, lastTimestamp: '2026-01-01T00:01:00Z', message: 'still' }));
    expect(now()).to.include({ count: 4, lastTimestamp: '2026-01-01T00:01:00Z', message: 'still' });
    expect(harness.host.calls.map(({ verb }) => verb)).to.deep.equal(['create', 'patch']);
  });

  it('makes the copy of a repeated event that it has missed so far', async () => {
    await copy(memberEvent({ count: undefined, series: { count: 5 } }));
    expect(now()?.series).to.deep.equal({ count: 5 });
  });

  it('is content when the copy is there already', async () => {
    await copy(memberEvent());
    make();
    await copy(memberEvent());
    expect(dropped).to.equal(0);
  });

  const strangers: Record<string, Event> = {
    'about another kind': memberEvent({ involvedObject: { kind: 'Node', name: 'n1' } }),
    'about an earlier pod of the name': memberEvent({
      involvedObject: { ...memberEvent().involvedObject, uid: 'earlier' },
    }),
  };
  for (const [what, event] of Object.entries(strangers)) {
    it(`takes no event ${what}`, () => {
      expect(mirror.offer(event)).to.be.undefined;
    });
  }

  it("takes no event about somebody else's pod", () => {
    member = undefined;
    expect(mirror.offer(memberEvent())).to.be.undefined;
  });

  it('drops an event whose pods are gone when its turn comes', async () => {
    const key = mirror.offer(memberEvent())!;
    host = undefined;
    await mirror.reconcile(key, harness.context);
    host = hostPod();
    await mirror.reconcile(key, harness.context);
    expect([now(), harness.host.calls]).to.deep.equal([undefined, []]);
  });

  it('drops an event of a pod that stands for another host pod', async () => {
    host = hostPod({ metadata: { uid: 'another' } });
    await copy(memberEvent());
    expect(now()).to.be.undefined;
  });

  it('merges repetitions that come faster than they are copied', async () => {
    mirror.offer(memberEvent({ count: 2 }));
    await copy(memberEvent({ count: 3 }));
    expect(now()?.count).to.equal(3);
    expect(await mirror.reconcile('shop/web-0.17', harness.context)).to.deep.equal({});
    expect(harness.host.callsOf({ verb: 'create' })).to.have.length(1);
  });

  it('copies a repetition that comes while the event is being copied', async () => {
    harness.host.intercept = () => {
      harness.host.intercept = undefined;
      mirror.offer(memberEvent({ count: 2 }));
    };
    await copy(memberEvent());
    await mirror.reconcile('shop/web-0.17', harness.context);
    expect(now()?.count).to.equal(2);
  });

  it('drops ordinary events when too many wait, and counts them', () => {
    make({ maxPending: 1 });
    const named = (name: string, type = 'Normal'): Event =>
      memberEvent({ metadata: { namespace: 'shop', name }, type });
    expect(mirror.offer(named('a'))).to.equal('shop/a');
    expect([mirror.offer(named('b')), dropped]).to.deep.equal([undefined, 1]);
    expect(mirror.offer(named('a'))).to.equal('shop/a');
    expect(mirror.offer(named('c', 'Warning'))).to.equal('shop/c');
  });

  it('has room again once events are copied', async () => {
    make({ maxPending: 1 });
    await copy(memberEvent());
    expect(mirror.offer(memberEvent({ metadata: { namespace: 'shop', name: 'next' } }))).to.equal('shop/next');
  });

  it('tries again when the host did not answer', async () => {
    harness.host.fail({ verb: 'create', error: apiError(500, 'InternalError') });
    const key = mirror.offer(memberEvent())!;
    const failure = await mirror.reconcile(key, harness.context).catch((error: unknown) => error);
    expect(failure).to.have.property('statusCode', 500);
    await mirror.reconcile(key, harness.context);
    expect(now()).to.not.be.undefined;
  });

  it('gives up an event that the host refuses', async () => {
    harness.host.fail({ verb: 'create', error: apiError(403, 'Forbidden', 'namespace is being terminated') });
    await copy(memberEvent());
    expect([dropped, now()]).to.deep.equal([1, undefined]);
    await mirror.reconcile('shop/web-0.17', harness.context);
    expect(now()).to.be.undefined;
  });

  it('passes on that a repetition could not be written', async () => {
    harness.host.fail({ verb: 'patch', error: apiError(429, 'TooManyRequests') });
    const failure = await copy(memberEvent({ count: 2 })).catch((error: unknown) => error);
    expect(failure).to.have.property('statusCode', 429);
  });
});

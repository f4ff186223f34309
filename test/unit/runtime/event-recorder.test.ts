import { expect } from 'chai';
import type { Event, ObjectReference } from '../../../src/apis/core.js';
import { ApiError } from '../../../src/kube/api-error.js';
import { events, nodes, pods } from '../../../src/kube/resource.js';
import { FederationError } from '../../../src/lib/errors.js';
import { silentLogger } from '../../../src/lib/logger.js';
import {
  ApiEventRecorder,
  referenceTo,
  type ApiEventRecorderOptions,
  type EventDropReason,
} from '../../../src/runtime/event-recorder.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';

const pod: ObjectReference = { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'web', uid: 'u1' };
const podNumber = (i: number): ObjectReference => ({ ...pod, name: `web-${i}`, uid: `u${i}` });
const refused = { type: 'Warning', reason: 'PodRefused', message: 'hostNetwork is not supported' } as const;

describe('ApiEventRecorder', () => {
  let clock: FakeClock;
  let client: FakeKubeClient;
  let abort: AbortController;
  let drops: EventDropReason[];
  let running: Promise<void>;
  let digits: number;

  function start(options: Partial<ApiEventRecorderOptions> = {}): ApiEventRecorder {
    const recorder = new ApiEventRecorder({
      client,
      clock,
      random: () => (digits = (digits + 0.19) % 1),
      logger: silentLogger,
      source: { component: 'kosmos-manager', host: 'manager-1' },
      onDrop: (reason) => drops.push(reason),
      ...options,
    });
    running = recorder.run(abort.signal);
    return recorder;
  }

  const written = (): Event[] => client.peekAll(events);

  beforeEach(() => {
    clock = new FakeClock(Date.parse('2026-05-01T10:00:00.250Z'));
    client = new FakeKubeClient({ clock });
    abort = new AbortController();
    drops = [];
    digits = 0;
    running = Promise.resolve();
  });

  afterEach(async () => {
    abort.abort();
    await running;
    expect(clock.pendingTimers, 'timers left').to.equal(0);
  });

  it('writes an event about the object', async () => {
    start().record(pod, refused);
    await settle();
    const [event] = written();
    expect(event?.metadata.name).to.match(/^web\.[0-9a-f]{16}$/);
    expect(event).to.deep.include({
      involvedObject: pod,
      ...refused,
      source: { component: 'kosmos-manager', host: 'manager-1' },
      reportingComponent: 'kosmos-manager',
      reportingInstance: 'manager-1',
      firstTimestamp: '2026-05-01T10:00:00Z',
      lastTimestamp: '2026-05-01T10:00:00Z',
      count: 1,
    });
  });

  it('writes what was recorded before the start', async () => {
    const recorder = new ApiEventRecorder({
      client,
      clock,
      random: () => 0,
      logger: silentLogger,
      source: { component: 'x' },
    });
    recorder.record(pod, refused);
    running = recorder.run(abort.signal);
    await settle();
    expect(written()).to.have.length(1);
  });

  it('puts events of objects without namespace into default', async () => {
    start().record({ apiVersion: 'v1', kind: 'Node', name: 'kosmos-a' }, refused);
    await settle();
    expect(written()[0]?.metadata.namespace).to.equal('default');
  });

  it('keeps the source of a mirrored event', async () => {
    start().record(pod, { ...refused, source: { component: 'kubelet', host: 'node-1' } });
    await settle();
    expect(written()[0]?.source).to.deep.equal({ component: 'kubelet', host: 'node-1' });
  });

  it('counts the same event up by a patch', async () => {
    const recorder = start();
    recorder.record(pod, refused);
    await clock.advance(60_000);
    recorder.record(pod, refused);
    recorder.record(pod, refused);
    await settle();
    expect(written()).to.have.length(1);
    expect(written()[0]).to.include({
      count: 3,
      firstTimestamp: '2026-05-01T10:00:00Z',
      lastTimestamp: '2026-05-01T10:01:00Z',
    });
    expect(client.calls.map(({ verb }) => verb)).to.deep.equal(['create', 'patch', 'patch']);
  });

  it('makes a new event when the old one has expired in the API', async () => {
    const recorder = start();
    recorder.record(pod, refused);
    await settle();
    client.erase(events, { namespace: 'default', name: written()[0]?.metadata.name ?? '' });
    recorder.record(pod, refused);
    await settle();
    expect(written().map(({ count }) => count)).to.deep.equal([1]);
  });

  it('combines events that differ by message only', async () => {
    const recorder = start();
    for (let i = 0; i < 12; i++) recorder.record(pod, { ...refused, message: `try ${i}` });
    await settle();
    expect(written()).to.have.length(10);
    const combined = written().find(({ message }) => message?.startsWith('(combined'));
    expect(combined).to.include({ count: 3, message: '(combined from similar events): try 11' });
  });

  it('drops events of an object that has too many', async () => {
    const recorder = start();
    for (let i = 0; i < 30; i++) recorder.record(pod, refused);
    await settle();
    expect(written()[0]?.count).to.equal(25);
    expect(drops).to.deep.equal(Array.from({ length: 5 }, () => 'rateLimit'));
  });

  it('cuts a message at 1024 bytes, also a combined one', async () => {
    const recorder = start();
    for (let i = 0; i < 10; i++) recorder.record(pod, { ...refused, message: `${i} ${'\u00e4'.repeat(900)}` });
    await settle();
    for (const { message = '' } of written()) expect(Buffer.byteLength(message)).to.be.within(1000, 1024);
  });

  it('makes a valid name from a very long one', async () => {
    start().record({ ...pod, name: `${'a'.repeat(235)}.${'b'.repeat(17)}` }, refused);
    await settle();
    expect(written()[0]?.metadata.name).to.match(/^a{235}\.[0-9a-f]{16}$/);
  });

  for (const reason of ['', 'pod refused', 'podRefused', 'Pod-Refused', `P${'x'.repeat(128)}`]) {
    it(`drops an event with the reason "${reason.slice(0, 20)}"`, async () => {
      start().record(pod, { ...refused, reason });
      await settle();
      expect([written().length, drops]).to.deep.equal([0, ['invalid']]);
    });
  }

  it('drops an event about an object without name', () => {
    start().record({ ...pod, name: '' }, refused);
    expect(drops).to.deep.equal(['invalid']);
  });

  it('drops events beyond its capacity while the API server is slow', async () => {
    let release = (): void => undefined;
    client.intercept = () => new Promise((resolve) => (release = resolve));
    const recorder = start({ capacity: 3 });
    recorder.record(podNumber(0), refused);
    await settle();
    for (let i = 1; i < 6; i++) recorder.record(podNumber(i), refused);
    expect(drops).to.deep.equal(['overflow', 'overflow']);
    client.intercept = undefined;
    release();
    await settle();
    expect(written()).to.have.length(4);
  });

  it('writes no faster than it may', async () => {
    const recorder = start({ writesPerSecond: 2 });
    for (let i = 0; i < 20; i++) recorder.record(podNumber(i), refused);
    await settle();
    expect(written()).to.have.length(10);
    await clock.advance(2000);
    expect(written()).to.have.length(14);
    await clock.advance(3000);
    expect(written()).to.have.length(20);
  });

  for (const [what, error] of [
    ['is unreachable', new FederationError('API_UNREACHABLE', 'refused')],
    ['has an internal error', new ApiError({ code: 500 })],
    ['is overloaded', new ApiError({ code: 429, reason: 'TooManyRequests' })],
  ] as const) {
    it(`tries again when the API server ${what}`, async () => {
      client.fail({ error, times: 3 });
      start().record(pod, refused);
      await clock.advance(20_000);
      expect([written().length, drops]).to.deep.equal([1, []]);
    });
  }

  it('gives up on an event after two minutes and goes on with the next', async () => {
    client.fail({ error: new FederationError('API_UNREACHABLE', 'refused'), times: 12 });
    const recorder = start();
    recorder.record(podNumber(1), refused);
    recorder.record(podNumber(2), refused);
    await clock.advance(120_000);
    expect(drops).to.deep.equal(['failed']);
    expect(written().map(({ involvedObject }) => involvedObject.name)).to.deep.equal(['web-2']);
  });

  for (const [what, error] of [
    ['forbids it', new ApiError({ code: 403, reason: 'Forbidden' })],
    ['is terminating the namespace', new ApiError({ code: 403, reason: 'Forbidden' })],
    ['may not be written to', new FederationError('NOT_LEADER', 'not leading')],
  ] as const) {
    it(`drops an event at once when the API server ${what}`, async () => {
      client.fail({ error });
      start().record(pod, refused);
      await settle();
      expect([drops, client.calls.length]).to.deep.equal([['rejected'], 1]);
    });
  }

  it('stops while it waits for another try', async () => {
    client.fail({ error: new FederationError('API_UNREACHABLE', 'refused'), times: 100 });
    start().record(pod, refused);
    await clock.advance(1);
    abort.abort();
    await running;
    expect(drops).to.deep.equal([]);
  });
});

describe('referenceTo', () => {
  it('takes the kind from the type, because objects in a list have none', () => {
    const metadata = { namespace: 'a', name: 'b', uid: 'c' };
    expect(referenceTo(pods, { metadata })).to.deep.equal({ apiVersion: 'v1', kind: 'Pod', ...metadata });
    expect(referenceTo(nodes, {})).to.include({ kind: 'Node', name: '' });
  });
});

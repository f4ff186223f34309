import { expect } from 'chai';
import type { Pod } from '../../../src/apis/core.js';
import type { ApiError } from '../../../src/kube/api-error.js';
import { nodes, pods } from '../../../src/kube/resource.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';

const ref = { namespace: 'default', name: 'web' };
const pod = (fields: Partial<Pod> = {}): Pod => ({
  metadata: { ...ref, labels: { app: 'web' } },
  spec: { nodeName: 'kosmos-a', containers: [{ name: 'main', image: 'busybox' }] },
  ...fields,
});

async function statusOf(promise: Promise<unknown>): Promise<number> {
  return promise.then(
    () => 200,
    (error: unknown) => (error as ApiError).statusCode,
  );
}

describe('FakeKubeClient', () => {
  let clock: FakeClock;
  let client: FakeKubeClient;

  beforeEach(() => {
    clock = new FakeClock(Date.parse('2026-03-01T00:00:00Z'));
    client = new FakeKubeClient({ clock });
  });

  it('assigns UID, resource version and creation time and drops the status of a new pod', async () => {
    const created = await client.create(pods, pod({ status: { phase: 'Running' } }));
    expect(created.metadata?.uid).to.be.a('string');
    expect(created.metadata?.resourceVersion).to.equal('1');
    expect(created.metadata?.creationTimestamp).to.equal('2026-03-01T00:00:00Z');
    expect(created.status).to.deep.equal({ phase: 'Pending' });
  });

  it('answers 404, 409 and 409 for what is missing, there already, or modified', async () => {
    expect(await statusOf(client.get(pods, ref))).to.equal(404);
    const first = await client.create(pods, pod());
    expect(await statusOf(client.create(pods, pod()))).to.equal(409);
    await client.update(pods, { ...first, metadata: { ...first.metadata, labels: {} } });
    expect(await statusOf(client.update(pods, first))).to.equal(409);
  });

  it('merges conditions by type in a strategic merge patch of the status, and leaves the spec alone', async () => {
    client.seed(
      pods,
      pod({
        status: {
          conditions: [
            { type: 'Ready', status: 'False' },
            { type: 'Mine', status: 'True' },
          ],
        },
      }),
    );
    const patch = { spec: { nodeName: 'x' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    const patched = await client.patch(pods, ref, patch, { type: 'strategic', subresource: 'status' });
    expect(patched.status?.conditions).to.deep.equal([
      { type: 'Ready', status: 'True' },
      { type: 'Mine', status: 'True' },
    ]);
    expect(patched.spec?.nodeName).to.equal('kosmos-a');
  });

  it('refuses a patch that means another UID with 422', async () => {
    client.seed(pods, pod());
    const patch = { metadata: { uid: 'other', labels: { a: 'b' } } };
    expect(await statusOf(client.patch(pods, ref, patch, { type: 'strategic' }))).to.equal(422);
    expect(client.peek(pods, ref)?.metadata?.labels).to.deep.equal({ app: 'web' });
  });

  it('supports JSON and merge patches, and does not count a patch that changes nothing', async () => {
    client.seed(pods, pod());
    const operations = [{ op: 'add', path: '/metadata/labels/a~1b', value: 'c' }];
    const patched = await client.patch(pods, ref, operations, { type: 'json' });
    expect(patched.metadata?.labels).to.deep.equal({ app: 'web', 'a/b': 'c' });
    const merged = await client.patch(pods, ref, { metadata: { labels: { 'a/b': null } } }, { type: 'merge' });
    expect(merged.metadata?.labels).to.deep.equal({ app: 'web' });
    const again = await client.patch(pods, ref, { metadata: { labels: { app: 'web' } } }, { type: 'merge' });
    expect(again.metadata?.resourceVersion).to.equal(merged.metadata?.resourceVersion);
  });

  it('deletes a bound pod gracefully, and at once with grace 0', async () => {
    client.seed(pods, pod());
    await client.delete(pods, ref, { gracePeriodSeconds: 10 });
    expect(client.peek(pods, ref)?.metadata?.deletionTimestamp).to.equal('2026-03-01T00:00:10Z');
    await client.delete(pods, ref, { gracePeriodSeconds: 0 });
    expect(client.peek(pods, ref)).to.equal(undefined);
  });

  it('keeps a deleted object until its last finalizer is gone', async () => {
    client.seed(nodes, { metadata: { name: 'a', finalizers: ['x/y'] } });
    await client.delete(nodes, { name: 'a' });
    expect(client.peek(nodes, { name: 'a' })?.metadata?.deletionTimestamp).to.be.a('string');
    await client.patch(nodes, { name: 'a' }, { metadata: { finalizers: null } }, { type: 'merge' });
    expect(client.peek(nodes, { name: 'a' })).to.equal(undefined);
  });

  it('fails a delete whose UID precondition does not hold with 409', async () => {
    client.seed(pods, pod());
    expect(await statusOf(client.delete(pods, ref, { preconditions: { uid: 'other' } }))).to.equal(409);
    expect(client.peek(pods, ref)).to.not.equal(undefined);
  });

  for (const [labelSelector, names] of [
    ['app=web', ['web']],
    ['app!=web', ['db']],
    ['app in (web,db)', ['db', 'web']],
    ['app notin (web),tier', ['db']],
    ['!tier', ['web']],
  ] as const) {
    it(`lists by label selector ${labelSelector}`, async () => {
      client.seed(pods, pod());
      client.seed(pods, { metadata: { namespace: 'default', name: 'db', labels: { app: 'db', tier: 'back' } } });
      const { items } = await client.list(pods, { labelSelector });
      expect(items.map((item) => item.metadata?.name)).to.deep.equal(names);
    });
  }

  it('pages a list and selects by field', async () => {
    for (const name of ['a', 'b', 'c']) client.seed(pods, { metadata: { namespace: 'x', name }, spec: pod().spec });
    const first = await client.list(pods, { limit: 2, fieldSelector: 'spec.nodeName=kosmos-a' });
    const second = await client.list(pods, { limit: 2, continueToken: first.continueToken });
    expect([first.items.length, second.items.length]).to.deep.equal([2, 1]);
    expect((await client.list(pods, { fieldSelector: 'spec.nodeName=other' })).items).to.deep.equal([]);
  });

  it('records every call and fails those that a test names, before or after the write', async () => {
    const error = new Error('connection reset');
    client.fail({ verb: 'create', error });
    client.fail({ verb: 'create', error, when: 'after' });
    expect(await client.create(pods, pod()).catch((caught: unknown) => caught)).to.equal(error);
    expect(client.peek(pods, ref)).to.equal(undefined);
    expect(await client.create(pods, pod()).catch((caught: unknown) => caught)).to.equal(error);
    expect(client.peek(pods, ref)).to.not.equal(undefined);
    await client.get(pods, ref);
    expect(client.calls.map((call) => `${call.verb} ${call.resource} ${call.ref.name}`)).to.deep.equal([
      'create pods web',
      'create pods web',
      'get pods web',
    ]);
    expect(client.callsOf({ verb: 'get', name: 'web' })).to.have.length(1);
  });

  it('watches changes after a resource version until the signal aborts', async () => {
    client.seed(pods, pod());
    const abort = new AbortController();
    const seen: string[] = [];
    const watch = await client.watch(pods, { signal: abort.signal, resourceVersion: '0' });
    const reading = (async () => {
      for await (const { type, object } of watch) seen.push(`${type} ${object.metadata?.name ?? ''}`);
    })();
    client.erase(pods, ref);
    await clock.advance(0);
    abort.abort();
    await reading;
    expect(seen).to.deep.equal(['ADDED web', 'DELETED web']);
  });
});

import { expect } from 'chai';
import type { ConfigMap, KubeObject, Secret } from '../../../../src/apis/core.js';
import { HostContents } from '../../../../src/clustertree/config/host-contents.js';
import {
  CONFIG_MAP_KIND,
  SECRET_KIND,
  trimHostObject,
  type CopiedKind,
} from '../../../../src/clustertree/config/kinds.js';
import { MemberCopies, type SyncOutcome } from '../../../../src/clustertree/config/member-copies.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { configMaps, metadataOf, secrets } from '../../../../src/kube/resource.js';
import { apiError, MemberHarness, ownPod, OWNERSHIP } from '../../../support/member-harness.js';

const REF = { namespace: 'shop', name: 'settings' };
const KEY = 'shop/settings';
const SYNCED = { kind: 'synced' };

describe('MemberCopies', () => {
  let harness: MemberHarness;
  let hostObjects: Informer<KubeObject>;
  let copyObjects: Informer<KubeObject>;
  let copies: MemberCopies;

  beforeEach(() => {
    harness = new MemberHarness();
  });

  afterEach(() => harness.end());

  async function open(kind: CopiedKind = CONFIG_MAP_KIND): Promise<void> {
    const { host, client, clock } = harness;
    const type = metadataOf(kind.type);
    hostObjects = harness.watch(host, type, { transform: trimHostObject });
    copyObjects = harness.watch(client, type, { labelSelector: `kosmos.io/cluster=${OWNERSHIP.clusterName}` });
    const member = harness.member();
    copies = new MemberCopies({
      kind,
      member,
      hostObjects,
      copies: copyObjects,
      contents: new HostContents(host),
      clock,
    });
    await harness.settle(4);
  }

  const seedMap = (more: Partial<ConfigMap> = {}): ConfigMap =>
    harness.host.seed(configMaps, { data: { a: '1' }, ...more, metadata: { ...REF, ...more.metadata } });
  const seedSecret = (more: Partial<Secret> = {}): Secret =>
    harness.host.seed(secrets, { data: { a: 'MQ==' }, type: 'x/y', ...more, metadata: { ...REF, ...more.metadata } });
  const ownMeta = (): NonNullable<KubeObject['metadata']> => ({ ...ownPod(KEY, 'host-uid').metadata, uid: 'copy-uid' });
  const copy = (): ConfigMap | undefined => harness.client.peek(configMaps, REF);
  const ensure = (optional = false): Promise<SyncOutcome> => copies.ensure(KEY, optional, harness.signal);
  const sync = (): Promise<SyncOutcome> => copies.sync(KEY, harness.signal);
  const failure = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

  /** `verb resource` of each call to the member, and of each read of the host, but those of caches. */
  function calls(cluster: 'host' | 'member'): string[] {
    const client = cluster === 'host' ? harness.host : harness.client;
    return client.calls
      .filter(({ verb }) => verb !== 'list' && verb !== 'watch')
      .map(({ verb, resource }) => `${verb} ${resource}`);
  }

  it('makes a copy with one read and one write, and for all who share it no more', async () => {
    seedMap();
    await open();
    const outcomes = await Promise.all([ensure(), ensure(), ensure()]);
    expect(outcomes).to.deep.equal([SYNCED, SYNCED, SYNCED]);
    expect(await ensure()).to.deep.equal(SYNCED);
    await harness.settle(4);
    expect(await ensure()).to.deep.equal(SYNCED);
    expect(copy()?.data).to.deep.equal({ a: '1' });
    expect([calls('host'), calls('member')]).to.deep.equal([['get configmaps'], ['create configmaps']]);
  });

  it('asks the member for metadata only when it writes', async () => {
    seedMap();
    await open();
    await ensure();
    expect(harness.client.callsOf({ verb: 'create' })[0]?.type).to.have.property('metadataOnly', true);
    expect(harness.client.callsOf({ verb: 'create' })[0]?.options).to.include({ fieldManager: 'kosmos-manager' });
  });

  it('carries a change over', async () => {
    seedMap();
    await open();
    await ensure();
    harness.host.edit(configMaps, REF, { data: { a: '2' } });
    await harness.settle(2);
    expect(copies.isInStep(KEY)).to.be.false;
    expect(await sync()).to.deep.equal(SYNCED);
    expect(copy()?.data).to.deep.equal({ a: '2' });
    expect(copies.isInStep(KEY)).to.be.true;
  });

  it('reads a copy once to find that it is in step, and writes nothing', async () => {
    const { metadata: { uid } = {} } = seedMap();
    await open();
    await ensure();
    await open();
    harness.client.calls.length = 0;
    expect(await ensure()).to.deep.equal(SYNCED);
    expect(await ensure()).to.deep.equal(SYNCED);
    expect(calls('member')).to.deep.equal(['get configmaps']);
    expect(copy()?.metadata?.annotations).to.deep.equal({ 'kosmos.io/host-uid': uid });
  });

  it('puts right what somebody changed in the member', async () => {
    seedMap();
    await open();
    await ensure();
    harness.client.edit(configMaps, REF, { data: { a: 'x' } });
    await harness.settle(2);
    expect(copies.isInStep(KEY)).to.be.false;
    await sync();
    expect(copy()?.data).to.deep.equal({ a: '1' });
  });

  it('is not deceived by a cache that lacks the copy', async () => {
    seedMap();
    await open();
    harness.client.seed(configMaps, { metadata: ownMeta(), data: { a: 'old' } });
    expect(await sync()).to.deep.equal(SYNCED);
    expect(copy()?.data).to.deep.equal({ a: '1' });
  });

  it('is not deceived by a cache that has a copy which is gone', async () => {
    seedMap();
    await open();
    await ensure();
    harness.host.edit(configMaps, REF, { data: { a: '2' } });
    await harness.settle(2);
    harness.client.erase(configMaps, REF);
    expect(await sync()).to.deep.equal(SYNCED);
    expect(copy()?.data).to.deep.equal({ a: '2' });
  });

  it('deletes and creates what can not be changed, by UID', async () => {
    seedSecret({ immutable: true });
    harness.client.seed(secrets, { metadata: ownMeta(), type: 'old/type', data: {} });
    await open(SECRET_KIND);
    expect(await sync()).to.deep.equal(SYNCED);
    expect(harness.client.callsOf({ verb: 'delete' })[0]?.options).to.deep.include({
      preconditions: { uid: 'copy-uid' },
    });
    expect(harness.client.peek(secrets, REF)).to.deep.include({ type: 'x/y', immutable: true, data: { a: 'MQ==' } });
  });

  it('waits for a copy that is going', async () => {
    seedMap();
    harness.client.seed(configMaps, { metadata: { ...ownMeta(), deletionTimestamp: '2026-01-01T00:00:00Z' } });
    await open();
    expect(await failure(sync())).to.include({ code: 'API_ERROR', retry: 'backoff' });
  });

  it('leaves what is foreign, and says so', async () => {
    seedMap();
    harness.client.seed(configMaps, { metadata: REF, data: { theirs: '1' } });
    await open();
    expect(await ensure()).to.deep.equal({ kind: 'foreign' });
    expect(copy()?.data).to.deep.equal({ theirs: '1' });
    expect(calls('member')).to.deep.equal(['create configmaps', 'get configmaps']);
  });

  it('says that the host lacks the object, asking once in a while', async () => {
    await open();
    for (let i = 0; i < 3; i += 1) expect(await ensure()).to.deep.equal({ kind: 'missing' });
    expect(calls('host')).to.deep.equal(['get configmaps']);
    await harness.clock.advance(30_000);
    await ensure();
    expect(calls('host')).to.have.length(2);
    expect(calls('member')).to.be.empty;
  });

  it('finds what has just been made in the host, before the cache does', async () => {
    await open();
    seedMap();
    expect(await ensure()).to.deep.equal(SYNCED);
  });

  it('looks for an object again as soon as it is heard of', async () => {
    await open();
    await ensure();
    seedMap();
    copies.forget(KEY);
    expect(await ensure()).to.deep.equal(SYNCED);
  });

  it('lets a pod do without an optional object, unless it would see a foreign one', async () => {
    await open();
    for (let i = 0; i < 3; i += 1) expect(await ensure(true)).to.deep.equal({ kind: 'missing' });
    expect(calls('member')).to.deep.equal(['get configmaps']);
    harness.client.seed(configMaps, { metadata: REF });
    await harness.clock.advance(30_000);
    expect(await ensure(true)).to.deep.equal({ kind: 'foreign' });
  });

  it('does not take our own remains for foreign', async () => {
    harness.client.seed(configMaps, { metadata: ownMeta() });
    await open();
    expect(await ensure(true)).to.deep.equal({ kind: 'missing' });
  });

  for (const [code, reason, why] of [
    [403, 'Forbidden', 'exceeded quota'],
    [422, 'Invalid', 'Invalid'],
    [413, '', 'HTTP 413'],
  ] as const) {
    it(`says why the member refuses a copy with ${code}, without quoting it`, async () => {
      seedMap();
      await open();
      const message = code === 403 ? 'exceeded quota' : 'data: Invalid value: "the-secret"';
      harness.client.fail({ verb: 'create', error: apiError(code, reason, message) });
      expect(await ensure()).to.deep.equal({ kind: 'refused', why });
      expect(await ensure()).to.deep.equal(SYNCED);
    });
  }

  for (const verb of ['create', 'update', 'get'] as const) {
    it(`passes on that a member does not answer a ${verb}`, async () => {
      seedMap();
      if (verb !== 'create') harness.client.seed(configMaps, { metadata: ownMeta(), data: {} });
      await open();
      harness.client.fail({ verb, error: apiError(503, 'ServiceUnavailable') });
      expect(await failure(ensure())).to.have.property('statusCode', 503);
      expect(await ensure()).to.deep.equal(SYNCED);
    });
  }

  describe('remove', () => {
    beforeEach(async () => {
      seedMap();
      await open();
      await ensure();
      await harness.settle(2);
    });

    const uid = (): string => copy()?.metadata?.uid ?? '';

    it('deletes the copy that is meant, and no other', async () => {
      await copies.remove(KEY, 'another-uid', harness.signal);
      expect(copy()).to.not.equal(undefined);
      await copies.remove(KEY, uid(), harness.signal);
      expect(copy()).to.equal(undefined);
      await copies.remove(KEY, 'copy-uid', harness.signal);
    });

    it('keeps those who need it waiting, and then makes it anew', async () => {
      const removing = copies.remove(KEY, uid(), harness.signal);
      const outcome = ensure();
      await removing;
      expect(await outcome).to.deep.equal(SYNCED);
      expect(copy()?.data).to.deep.equal({ a: '1' });
    });

    it('waits for what is under way', async () => {
      const old = uid();
      harness.host.edit(configMaps, REF, { data: { a: '2' } });
      await harness.settle(2);
      const [outcome] = await Promise.all([sync(), copies.remove(KEY, old, harness.signal)]);
      expect(outcome).to.deep.equal(SYNCED);
      expect(copy()).to.equal(undefined);
    });

    it('passes failures on, and does not stand in the way of others', async () => {
      harness.client.fail({ verb: 'delete', error: apiError(503, 'ServiceUnavailable') });
      const removing = failure(copies.remove(KEY, uid(), harness.signal));
      expect(await ensure()).to.deep.equal(SYNCED);
      expect(await removing).to.have.property('statusCode', 503);
    });
  });

  it('knows the names on both sides', async () => {
    await open();
    expect(copies.memberKey('shop/kube-root-ca.crt')).to.equal('shop/master-root-ca.crt');
    expect(copies.hostKey('shop/master-root-ca.crt')).to.equal('shop/kube-root-ca.crt');
  });
});

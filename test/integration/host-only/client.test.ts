import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import type { Lab } from '../../../hack/lab/lab.js';
import type { ConfigMap, KubeObject, Pod } from '../../../src/apis/core.js';
import type { ApiError } from '../../../src/kube/api-error.js';
import {
  isAlreadyExists,
  isBadRequest,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNotFound,
  isUnauthorized,
} from '../../../src/kube/api-error.js';
import type { KubeClient, WatchEvent } from '../../../src/kube/client.js';
import { createKubeClient } from '../../../src/kube/http-client.js';
import { parseKubeconfig } from '../../../src/kube/kubeconfig.js';
import { configMaps, leases, namespaces, nodes, pods } from '../../../src/kube/resource.js';
import { createTransport } from '../../../src/kube/transport.js';
import { sharedHost } from '../../support/shared-lab.js';

function pod(name: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { schedulerName: 'nobody', containers: [{ name: 'main', image: 'none.invalid/none' }] },
  };
}

function configMap(name: string, data: Record<string, string> = {}, namespace = 'default'): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error,
  );
}

describe('the client against a real API server', () => {
  let lab: Lab;
  let client: KubeClient;

  before(async () => {
    lab = await sharedHost();
    client = connect(readFileSync(lab.host.kubeconfigPath, 'utf8'));
  });

  after(async () => {
    await client.close();
  });

  function connect(kubeconfig: string): KubeClient {
    return createKubeClient(createTransport({ access: parseKubeconfig(kubeconfig) }), { fieldManager: 'test' });
  }

  async function connectAs(user: Parameters<typeof lab.host.addUser>[0]): Promise<KubeClient> {
    return connect(readFileSync(await lab.host.addUser(user), 'utf8'));
  }

  /** etcd forgets all versions up to now; needs the cluster's own network. */
  async function compact(revision: string): Promise<void> {
    const script = `fetch('http://127.0.0.1:2379/v3/kv/compaction', { method: 'POST',
      body: JSON.stringify({ revision: ${revision}, physical: true }) }).then((r) => process.exit(r.ok ? 0 : 1))`;
    const child = await lab.spawnIn('host', process.execPath, ['-e', script]);
    expect((await child.wait()).code).to.equal(0);
  }

  describe('reads', () => {
    it('objects and paths', async () => {
      const object = await client.get(namespaces, { name: 'kube-system' });
      expect(object).to.include({ apiVersion: 'v1', kind: 'Namespace' });
      expect(await client.getPath('/readyz')).to.equal('ok');
      expect(JSON.parse(await client.getPath('/version'))).to.have.property('gitVersion');
    });

    it('what is not there as not found', async () => {
      const error = await errorOf(client.get(pods, { namespace: 'default', name: 'nope' }));
      expect(isNotFound(error)).to.equal(true);
      expect((error as ApiError).details).to.include({ name: 'nope', kind: 'pods' });
      expect(isNotFound(await errorOf(client.getPath('/apis/nope.example.com/v1')))).to.equal(true);
    });

    it('lists in pages that belong together', async () => {
      const namespace = 'pages';
      await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      for (let i = 0; i < 7; i++) await client.create(configMaps, configMap(`c${i}`, {}, namespace));
      const first = await client.list(configMaps, {
        namespace,
        limit: 3,
        fieldSelector: 'metadata.name!=kube-root-ca.crt',
      });
      await client.create(configMaps, configMap('later', {}, namespace));
      const names = first.items.map((item) => item.metadata?.name);
      const versions = [first.resourceVersion];
      let { continueToken } = first;
      while (continueToken !== undefined) {
        const page = await client.list(configMaps, { namespace, limit: 3, continueToken });
        names.push(...page.items.map((item) => item.metadata?.name));
        versions.push(page.resourceVersion);
        ({ continueToken } = page);
      }
      expect(names.filter((name) => name !== 'kube-root-ca.crt')).to.deep.equal([
        'c0',
        'c1',
        'c2',
        'c3',
        'c4',
        'c5',
        'c6',
      ]);
      expect(new Set(versions).size).to.equal(1);
      expect(first.items[0]).to.include({ apiVersion: 'v1', kind: 'ConfigMap' });
    });

    it('lists by label and by field', async () => {
      await client.create(pods, pod('selected'));
      await client.create(pods, pod('other'));
      const byLabel = await client.list(pods, { namespace: 'default', labelSelector: 'app in (selected)' });
      const byField = await client.list(pods, { fieldSelector: 'metadata.name=other,status.phase=Pending' });
      expect([...byLabel.items, ...byField.items].map((item) => item.metadata?.name)).to.deep.equal([
        'selected',
        'other',
      ]);
    });
  });

  describe('writes', () => {
    it('creates once', async () => {
      const created = await client.create(configMaps, configMap('once', { a: '1' }));
      expect(created.metadata?.uid).to.be.a('string');
      expect(created.metadata?.managedFields?.[0]?.manager).to.equal('test');
      expect(isAlreadyExists(await errorOf(client.create(configMaps, configMap('once'))))).to.equal(true);
    });

    it('creates nothing in a dry run', async () => {
      const created = await client.create(configMaps, configMap('dry'), { dryRun: true });
      expect(created.metadata?.uid).to.be.a('string');
      expect(isNotFound(await errorOf(client.get(configMaps, { namespace: 'default', name: 'dry' })))).to.equal(true);
    });

    it('refuses unknown fields when asked to be strict', async () => {
      const odd = { ...configMap('odd'), nonsense: 1 };
      const error = await errorOf(client.create(configMaps, odd, { fieldValidation: 'Strict' }));
      expect(isBadRequest(error)).to.equal(true);
      expect((error as ApiError).message).to.contain('unknown field "nonsense"');
    });

    it('says which fields are not valid', async () => {
      const error = await errorOf(client.create(configMaps, configMap('Not_A_Name')));
      expect(isInvalid(error)).to.equal(true);
      expect((error as ApiError).details?.causes?.[0]?.field).to.equal('metadata.name');
    });

    it('updates only the version that it read', async () => {
      const created = await client.create(configMaps, configMap('update'));
      const updated = await client.update(configMaps, { ...created, data: { a: '1' } });
      expect(updated.data).to.deep.equal({ a: '1' });
      expect(isConflict(await errorOf(client.update(configMaps, { ...created, data: { a: '2' } })))).to.equal(true);
    });

    it('patches in all four ways', async () => {
      const ref = { namespace: 'default', name: 'patched' };
      await client.create(configMaps, configMap(ref.name, { a: '1' }));
      const json = [{ op: 'replace', path: '/data/a', value: '2' }];
      expect((await client.patch(configMaps, ref, json, { type: 'json' })).data).to.deep.equal({ a: '2' });
      const merge = { data: { a: null, b: '3' } };
      expect((await client.patch(configMaps, ref, merge, { type: 'merge' })).data).to.deep.equal({ b: '3' });
      const strategic = { data: { c: '4' } };
      const merged = await client.patch(configMaps, ref, strategic, { type: 'strategic' });
      expect(merged.data).to.deep.equal({ b: '3', c: '4' });
      const apply = configMap(ref.name, { d: '5' });
      const applied = await client.patch(configMaps, ref, apply, { type: 'apply', fieldManager: 'applier' });
      expect(applied.data).to.deep.equal({ b: '3', c: '4', d: '5' });
    });

    it('applies over the fields of others only by force', async () => {
      const ref = { namespace: 'default', name: 'contested' };
      const apply = (value: string, fieldManager: string, force?: boolean): Promise<ConfigMap> =>
        client.patch(configMaps, ref, configMap(ref.name, { a: value }), { type: 'apply', fieldManager, force });
      await apply('1', 'one');
      expect(isConflict(await errorOf(apply('2', 'two')))).to.equal(true);
      expect((await apply('2', 'two', true)).data).to.deep.equal({ a: '2' });
    });

    it('patches the status of the object that it means, and of no other (422)', async () => {
      const ref = { namespace: 'default', name: 'status' };
      const created = await client.create(pods, pod(ref.name));
      const patch = (uid: string | undefined, type: string): Promise<Pod> =>
        client.patch(
          pods,
          ref,
          { metadata: { uid }, status: { conditions: [{ type, status: 'True' }] } },
          { type: 'strategic', subresource: 'status' },
        );
      await patch(created.metadata?.uid, 'example.com/One');
      const patched = await patch(created.metadata?.uid, 'example.com/Two');
      expect(patched.status?.conditions?.map((condition) => condition.type)).to.include.members([
        'example.com/One',
        'example.com/Two',
      ]);
      const error = await errorOf(patch('00000000-0000-0000-0000-000000000000', 'example.com/Three'));
      expect([isInvalid(error), isConflict(error)]).to.deep.equal([true, false]);
    });

    it('deletes only the object that it means (409)', async () => {
      const ref = { namespace: 'default', name: 'deleted' };
      const created = await client.create(pods, pod(ref.name));
      for (const preconditions of [{ uid: 'other' }, { uid: created.metadata?.uid, resourceVersion: '1' }]) {
        const error = await errorOf(client.delete(pods, ref, { preconditions }));
        expect(isConflict(error)).to.equal(true);
      }
      await client.delete(pods, ref, { preconditions: { uid: created.metadata?.uid }, gracePeriodSeconds: 0 });
      expect(isNotFound(await errorOf(client.get(pods, ref)))).to.equal(true);
      expect(isNotFound(await errorOf(client.delete(pods, ref)))).to.equal(true);
    });

    it('gives a bound pod the time that is asked for', async () => {
      const ref = { namespace: 'default', name: 'graceful' };
      await client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'silent' } });
      const { spec, ...rest } = pod(ref.name);
      await client.create(pods, { ...rest, spec: { containers: [], ...spec, nodeName: 'silent' } });
      await client.delete(pods, ref, { gracePeriodSeconds: 7 });
      const deleting = await client.get(pods, ref);
      expect(deleting.metadata?.deletionGracePeriodSeconds).to.equal(7);
      await client.delete(pods, ref, { gracePeriodSeconds: 0 });
    });

    it('creates subresources', async () => {
      const name = 'evicted';
      await client.create(pods, pod(name));
      const eviction: KubeObject = {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace: 'default' },
      };
      await client.create<KubeObject>(pods, eviction, { subresource: 'eviction' });
      expect(isNotFound(await errorOf(client.get(pods, { namespace: 'default', name })))).to.equal(true);
    });

    it('keeps micro-seconds as they are', async () => {
      const renewTime = '2026-01-01T00:00:00.123456Z';
      const created = await client.create(leases, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'micro', namespace: 'default' },
        spec: { renewTime },
      });
      expect(created.spec?.renewTime).to.equal(renewTime);
    });
  });

  describe('watches', () => {
    async function take(events: AsyncIterable<WatchEvent<ConfigMap>>, count: number): Promise<string[]> {
      const taken: string[] = [];
      for await (const { type, object } of events) {
        taken.push(`${type} ${object.metadata?.name ?? ''}`);
        if (taken.length === count) break;
      }
      return taken;
    }

    it('from a version on', async () => {
      const { signal } = new AbortController();
      const { resourceVersion } = await client.list(configMaps);
      await client.create(configMaps, configMap('watched'));
      await client.delete(configMaps, { namespace: 'default', name: 'watched' });
      const events = await client.watch(configMaps, { namespace: 'default', resourceVersion, signal });
      expect(await take(events, 2)).to.deep.equal(['ADDED watched', 'DELETED watched']);
    });

    it('until the server ends it', async () => {
      const { signal } = new AbortController();
      const { resourceVersion } = await client.list(configMaps);
      const events = await client.watch(configMaps, {
        ...{ resourceVersion, timeoutSeconds: 2, signal },
        // The cluster has only just started and makes some of its own.
        fieldSelector: 'metadata.name=nothing',
      });
      const types: string[] = [];
      for await (const event of events) types.push(event.type);
      expect(types.filter((type) => type !== 'BOOKMARK')).to.deep.equal([]);
    });

    it('with the present objects first when asked', async () => {
      const { signal } = new AbortController();
      await client.create(configMaps, configMap('present', {}, 'kube-public'));
      const events = await client.watch(configMaps, {
        namespace: 'kube-public',
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        signal,
      });
      const seen: string[] = [];
      for await (const { type, object } of events) {
        seen.push(`${type} ${object.metadata?.name ?? ''}`.trim());
        if (object.metadata?.annotations?.['k8s.io/initial-events-end'] === 'true') break;
      }
      expect(seen).to.include('ADDED present');
      expect(seen.at(-1)).to.equal('BOOKMARK');
    });

    it('not from a version that the server has forgotten (410)', async () => {
      const { signal } = new AbortController();
      const old = await client.list(configMaps);
      await client.create(configMaps, configMap('newer'));
      const { resourceVersion } = await client.list(configMaps);
      await compact(resourceVersion);
      await lab.host.stopApiServer('SIGKILL');
      await lab.host.startApiServer();
      const events = await client
        .watch(configMaps, { resourceVersion: old.resourceVersion, signal })
        .catch((error: unknown) => error);
      if (events instanceof Error) {
        expect(isExpired(events)).to.equal(true);
        return;
      }
      const [first] = await takeEvents(events as AsyncIterable<WatchEvent<ConfigMap>>);
      expect(first?.type).to.equal('ERROR');
      expect((first?.object as { code?: number }).code).to.equal(410);
    });

    async function takeEvents(events: AsyncIterable<WatchEvent<ConfigMap>>): Promise<WatchEvent<ConfigMap>[]> {
      for await (const event of events) return [event];
      return [];
    }
  });

  it('does not go on with a page that the server has forgotten (410)', async () => {
    for (let i = 0; i < 4; i++) await client.create(configMaps, configMap(`forgotten-${i}`));
    const { continueToken, resourceVersion } = await client.list(configMaps, { limit: 2 });
    await client.create(configMaps, configMap('after'));
    await compact((await client.list(configMaps)).resourceVersion);
    // Newer API servers have snapshots of their own, which a restart takes away.
    await lab.host.stopApiServer('SIGKILL');
    await lab.host.startApiServer();
    expect(Number(resourceVersion)).to.be.greaterThan(0);
    expect(isExpired(await errorOf(client.list(configMaps, { limit: 2, continueToken })))).to.equal(true);
  });

  describe('with other credentials', () => {
    it('is a user with a token', async () => {
      const other = await connectAs({ name: 'by-token', credential: 'token', clusterRole: 'view' });
      await other.list(pods, { namespace: 'default' });
      const error = await errorOf(other.create(configMaps, configMap('forbidden')));
      expect(isForbidden(error)).to.equal(true);
      await other.close();
    });

    it('is a user with a certificate', async () => {
      const other = await connectAs({ name: 'by-certificate', clusterRole: 'view' });
      expect((await other.list(pods, { namespace: 'default' })).items).to.be.an('array');
      await other.close();
    });

    it('is nobody with an expired certificate', async () => {
      const notAfter = new Date('2020-01-01');
      const other = await connectAs({ name: 'expired', clusterRole: 'view', notAfter });
      expect(isUnauthorized(await errorOf(other.list(pods)))).to.equal(true);
      await other.close();
    });
  });
});

import { expect } from 'chai';
import type { KubeObject, Namespace } from '../../../../src/apis/core.js';
import { findForeign, removeNamespace } from '../../../../src/clustertree/cluster/namespace-removal.js';
import { ownershipLabels } from '../../../../src/clustertree/cluster/ownership.js';
import { namespaces, pods, serviceAccounts, type ResourceType } from '../../../../src/kube/resource.js';
import { TransportError } from '../../../../src/kube/transport-error.js';
import { apiError, MemberHarness, ownNamespace, ownPod, OWNERSHIP } from '../../../support/member-harness.js';

const configMaps: ResourceType<KubeObject> = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};
const events: ResourceType<KubeObject> = { ...configMaps, kind: 'Event', plural: 'events' };
const KINDS = [pods, serviceAccounts, configMaps, events];

describe('the removal of a namespace', () => {
  let harness: MemberHarness;

  beforeEach(() => {
    harness = new MemberHarness();
    const resources = KINDS.map(({ plural: name, kind }) => ({ name, kind, namespaced: true, verbs: ['list'] }));
    harness.client.paths.set('/apis', '{}');
    harness.client.paths.set('/api/v1', JSON.stringify({ groupVersion: 'v1', resources }));
    seed(serviceAccounts, 'default');
    seed(configMaps, 'kube-root-ca.crt');
    seed(events, 'web.17');
  });

  afterEach(() => harness.end());

  function seed(type: ResourceType<KubeObject>, name: string, namespace = 'shop'): void {
    harness.client.seed(type, { metadata: { namespace, name } });
  }

  function member(): Parameters<typeof findForeign>[0] {
    return { client: harness.client, ownership: OWNERSHIP };
  }

  function find(): Promise<unknown> {
    return findForeign(member(), 'shop', harness.signal).catch((error: unknown) => error);
  }

  it('finds nothing foreign where Kubernetes and we alone have put things', async () => {
    harness.client.seed(pods, ownPod('shop/web', 'uid'));
    seed(configMaps, 'theirs', 'other');
    expect(await find()).to.be.undefined;
  });

  it("finds somebody else's object", async () => {
    seed(configMaps, 'settings');
    expect(await find()).to.equal('ConfigMap settings');
  });

  it("finds a pod that bears our labels but is nobody's copy", async () => {
    const metadata = { namespace: 'shop', name: 'copied', labels: ownershipLabels(OWNERSHIP) };
    harness.client.seed(pods, { metadata });
    expect(await find()).to.equal('Pod copied');
  });

  it('passes over a kind that has vanished since', async () => {
    harness.client.fail({ verb: 'list', type: configMaps, error: apiError(404, 'NotFound') });
    expect(await find()).to.be.undefined;
  });

  it('takes a kind that it may not list for foreign', async () => {
    harness.client.fail({ verb: 'list', type: configMaps, error: apiError(403, 'Forbidden', 'no role') });
    expect(await find()).to.equal("ConfigMap that can't be listed (no role)");
  });

  const unknown = {
    'a server in trouble': apiError(503, 'ServiceUnavailable'),
    'an overloaded server': apiError(429, 'TooManyRequests'),
    'a broken connection': new TransportError('API_UNREACHABLE', 'cut', { mayHaveArrived: true }),
  };
  for (const [what, error] of Object.entries(unknown)) {
    it(`knows nothing after an answer of ${what}`, async () => {
      harness.client.fail({ verb: 'list', type: configMaps, error });
      expect(await find()).to.equal(error);
    });
  }

  it('knows nothing when a group of kinds is not served at the moment', async () => {
    harness.client.paths.set('/apis', '{"groups":[{"name":"x","preferredVersion":{"groupVersion":"x/v1"}}]}');
    expect(await find()).to.have.property('statusCode', 404);
  });

  describe('deletes', () => {
    let namespace: Namespace;

    beforeEach(() => {
      namespace = harness.client.seed(namespaces, ownNamespace('shop'));
    });

    it('a namespace that holds nothing foreign', async () => {
      expect(await removeNamespace(member(), namespace, harness.signal)).to.be.undefined;
      expect(harness.client.peek(namespaces, { name: 'shop' })).to.be.undefined;
    });

    it('nothing as long as there is something foreign', async () => {
      seed(configMaps, 'settings');
      expect(await removeNamespace(member(), namespace, harness.signal)).to.equal('ConfigMap settings');
      expect(harness.client.peek(namespaces, { name: 'shop' })).to.not.be.undefined;
    });

    it('nothing when the namespace has changed since it was read', async () => {
      harness.client.edit(namespaces, { name: 'shop' }, { metadata: { annotations: { again: 'needed' } } });
      const failure = await removeNamespace(member(), namespace, harness.signal).catch((error: unknown) => error);
      expect(failure).to.have.property('reason', 'Conflict');
      expect(harness.client.peek(namespaces, { name: 'shop' })).to.not.be.undefined;
    });

    it('nothing that is gone already', async () => {
      harness.client.erase(namespaces, { name: 'shop' });
      expect(await removeNamespace(member(), namespace, harness.signal)).to.be.undefined;
    });
  });
});

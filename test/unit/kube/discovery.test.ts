import { expect } from 'chai';
import { namespacedResources, servesResource } from '../../../src/kube/discovery.js';
import { leases, pods } from '../../../src/kube/resource.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';

const resource = (name: string, kind: string, more: object = {}): object => ({
  ...{ name, kind, namespaced: true, verbs: ['get', 'list'] },
  ...more,
});

describe('discovery', () => {
  let client: FakeKubeClient;

  beforeEach(() => {
    client = new FakeKubeClient();
    const core = [
      resource('pods', 'Pod'),
      resource('pods/log', 'Pod'),
      resource('bindings', 'Binding', { verbs: ['create'] }),
      resource('nodes', 'Node', { namespaced: false }),
    ];
    serve('/api/v1', { groupVersion: 'v1', resources: core });
    const group = {
      name: 'coordination.k8s.io',
      preferredVersion: { groupVersion: 'coordination.k8s.io/v1' },
      versions: [{ groupVersion: 'coordination.k8s.io/v1' }, { groupVersion: 'coordination.k8s.io/v1beta1' }],
    };
    serve('/apis', { groups: [group] });
    serve('/apis/coordination.k8s.io', group);
    const v1 = [resource('leases', 'Lease')];
    serve('/apis/coordination.k8s.io/v1', { groupVersion: 'coordination.k8s.io/v1', resources: v1 });
  });

  function serve(path: string, body: object): void {
    client.paths.set(path, JSON.stringify(body));
  }

  describe('namespacedResources', () => {
    it('finds every kind that can be listed, in the preferred version of its group', async () => {
      expect(await namespacedResources(client)).to.deep.equal([
        { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true },
        { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', namespaced: true },
      ]);
    });

    it('asks for no other version', async () => {
      await namespacedResources(client);
      expect(client.calls.map(({ resource: path }) => path)).to.not.include('/apis/coordination.k8s.io/v1beta1');
    });

    it('copes with a server that has the core group alone', async () => {
      serve('/apis', {});
      serve('/api/v1', {});
      expect(await namespacedResources(client)).to.deep.equal([]);
    });

    it('passes over a group without a preferred version', async () => {
      serve('/apis', { groups: [{ name: 'x' }] });
      expect(await namespacedResources(client)).to.have.length(1);
    });

    it('fails when a group can not be discovered, for then the list would not be complete', async () => {
      client.paths.delete('/apis/coordination.k8s.io/v1');
      expect(await namespacedResources(client).catch((error: unknown) => error)).to.have.property('statusCode', 404);
    });

    it('fails with its caller', async () => {
      const signal = AbortSignal.abort(new Error('stopped'));
      const failure = await namespacedResources(client, { signal }).catch((error: unknown) => error);
      expect(failure).to.have.property('message', 'stopped');
    });
  });

  describe('servesResource', () => {
    it('knows a kind that is served', async () => {
      expect(await servesResource(client, leases)).to.be.true;
    });

    it('knows a kind of the core group', async () => {
      expect(await servesResource(client, pods)).to.be.true;
      expect(await servesResource(client, { ...pods, plural: 'pots' })).to.be.false;
    });

    const missing = {
      'a group': { ...leases, apiVersion: 'other.k8s.io/v1' },
      'a version': { ...leases, apiVersion: 'coordination.k8s.io/v2' },
      'a kind': { ...leases, plural: 'leasecandidates' },
    };
    for (const [what, type] of Object.entries(missing)) {
      it(`knows that ${what} is not served`, async () => {
        expect(await servesResource(client, type)).to.be.false;
      });
    }

    it('copes with lists that are empty', async () => {
      serve('/apis/coordination.k8s.io/v1', {});
      expect(await servesResource(client, leases)).to.be.false;
      serve('/apis/coordination.k8s.io', {});
      expect(await servesResource(client, leases)).to.be.false;
      serve('/apis', {});
      expect(await servesResource(client, leases)).to.be.false;
    });

    it('fails when nobody knows', async () => {
      client.paths.delete('/apis');
      expect(await servesResource(client, leases).catch((error: unknown) => error)).to.have.property('statusCode', 404);
    });
  });
});

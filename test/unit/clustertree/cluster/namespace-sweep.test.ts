import { expect } from 'chai';
import type { Namespace } from '../../../../src/apis/core.js';
import type { Member } from '../../../../src/clustertree/cluster/member.js';
import { createNamespaceFeature } from '../../../../src/clustertree/cluster/namespace-feature.js';
import { NamespaceSweep } from '../../../../src/clustertree/cluster/namespace-sweep.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { claims, namespaces, pods } from '../../../../src/kube/resource.js';
import type { Result } from '../../../../src/runtime/controller.js';
import { apiError, MemberHarness, ownNamespace, ownPod } from '../../../support/member-harness.js';

const BASELINE = { 'pod-security.kubernetes.io/enforce': 'baseline' };

describe('namespaces of the member', () => {
  let harness: MemberHarness;
  let member: Member;
  let hostNamespaces: Informer<Namespace>;
  let reports: string[];

  beforeEach(() => {
    harness = new MemberHarness();
    reports = [];
    harness.client.paths.set('/apis', '{}');
    const resources = [{ name: 'pods', kind: 'Pod', namespaced: true, verbs: ['list'] }];
    harness.client.paths.set('/api/v1', JSON.stringify({ groupVersion: 'v1', resources }));
  });

  afterEach(() => harness.end());

  async function start(): Promise<void> {
    member = harness.member();
    hostNamespaces = harness.watch(harness.host, namespaces);
    await harness.settle(2);
  }

  function seedMember(...args: Parameters<typeof ownNamespace>): void {
    harness.client.seed(namespaces, ownNamespace(...args));
  }

  function seedHost(labels: Record<string, string> = {}): void {
    harness.host.seed(namespaces, { metadata: { name: 'shop', uid: 'ns-uid', labels } });
  }

  function present(): boolean {
    return harness.client.peek(namespaces, { name: 'shop' }) !== undefined;
  }

  function writes(): number {
    return harness.client.calls.filter(({ verb }) => ['create', 'patch', 'delete'].includes(verb)).length;
  }

  describe('a sweep', () => {
    async function sweep(): Promise<Result> {
      await start();
      const { host } = harness;
      const reconciler = new NamespaceSweep({ member, host, hostNamespaces, report: (text) => reports.push(text) });
      return reconciler.reconcile('shop', harness.context);
    }

    it('removes a namespace that the host no longer has', async () => {
      seedMember('shop');
      expect(await sweep()).to.deep.equal({});
      expect(present()).to.be.false;
    });

    it('waits until claims have been removed one by one', async () => {
      seedMember('shop');
      harness.client.seed(claims, { metadata: { ...ownPod('shop/data', 'claim-uid').metadata } });
      expect(await sweep()).to.have.property('requeueAfterMs');
      expect([present(), writes()]).to.deep.equal([true, 0]);
    });

    it('does nothing with a namespace in step', async () => {
      seedMember('shop');
      seedHost();
      expect([await sweep(), writes()]).to.deep.equal([{}, 0]);
    });

    it('brings labels up to date', async () => {
      seedMember('shop');
      seedHost(BASELINE);
      await sweep();
      expect(harness.client.peek(namespaces, { name: 'shop' })?.metadata?.labels).to.include(BASELINE);
      expect(member.namespaces.store.get('shop')?.metadata?.labels).to.include(BASELINE);
    });

    it("leaves somebody else's namespace alone", async () => {
      harness.client.seed(namespaces, { metadata: { name: 'shop' } });
      expect([await sweep(), present()]).to.deep.equal([{}, true]);
    });

    it('leaves a namespace alone that is going already, or gone', async () => {
      seedMember('shop', { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['kubernetes'] });
      expect([await sweep(), writes()]).to.deep.equal([{}, 0]);
      harness.client.erase(namespaces, { name: 'shop' });
      await harness.settle();
      expect([await sweep(), writes()]).to.deep.equal([{}, 0]);
    });

    it('waits until the last of our pods has gone', async () => {
      seedMember('shop');
      harness.client.seed(pods, ownPod('shop/web', 'uid'));
      expect([await sweep(), present()]).to.deep.equal([{ requeueAfterMs: 5_000 }, true]);
    });

    it('does not believe its cache that the host has it no more', async () => {
      seedMember('shop');
      await start();
      seedHost();
      const { host } = harness;
      const reconciler = new NamespaceSweep({ member, host, hostNamespaces, report: () => undefined });
      expect(await reconciler.reconcile('shop', harness.context)).to.deep.equal({ requeueAfterMs: 5_000 });
      expect(present()).to.be.true;
    });

    it('removes nothing when the host does not answer', async () => {
      seedMember('shop');
      harness.host.fail({ verb: 'get', error: apiError(500, 'InternalError') });
      expect(await sweep().catch((error: unknown) => error)).to.have.property('statusCode', 500);
      expect(present()).to.be.true;
    });

    it('tells of a namespace that holds something foreign, and looks again later', async () => {
      seedMember('shop');
      harness.client.seed(pods, { metadata: { namespace: 'shop', name: 'theirs' } });
      expect(await sweep()).to.deep.equal({ requeueAfterMs: 600_000 });
      expect(reports).to.deep.equal(['namespace shop stays in the member: it holds Pod theirs']);
    });

    it('removes nothing before the namespaces of the host are known', async () => {
      seedMember('shop');
      await start();
      const unsynced = harness.createInformer({ client: harness.host, type: namespaces });
      const reconciler = new NamespaceSweep({
        ...{ member, host: harness.host, hostNamespaces: unsynced },
        report: () => undefined,
      });
      expect(await reconciler.reconcile('shop', harness.context)).to.deep.equal({});
      expect(present()).to.be.true;
    });
  });

  describe('while leading', () => {
    async function lead(): Promise<void> {
      await start();
      const { host, createController } = harness;
      const report = (cluster: string, text: string): number => reports.push(`${cluster}: ${text}`);
      const module = createNamespaceFeature({ host, hostNamespaces, createController, report }).open(member);
      expect(module.synced).to.be.true;
      harness.track(module.run(harness.signal));
      harness.track(module.lead(harness.signal).catch(() => undefined));
      await harness.settle(4);
    }

    it('removes what was left from before', async () => {
      seedMember('shop');
      await lead();
      expect(present()).to.be.false;
    });

    it('removes a namespace when the host does', async () => {
      seedMember('shop');
      seedHost();
      await lead();
      expect(present()).to.be.true;
      harness.host.erase(namespaces, { name: 'shop' });
      await harness.settle(4);
      expect(present()).to.be.false;
    });

    it('follows the labels of the host', async () => {
      seedMember('shop');
      seedHost();
      await lead();
      harness.host.edit(namespaces, { name: 'shop' }, { metadata: { labels: BASELINE } });
      await harness.settle(4);
      expect(harness.client.peek(namespaces, { name: 'shop' })?.metadata?.labels).to.include(BASELINE);
    });

    it('names the cluster in its reports', async () => {
      seedMember('shop');
      harness.client.seed(pods, { metadata: { namespace: 'shop', name: 'theirs' } });
      await lead();
      expect(reports).to.deep.equal(['member1: namespace shop stays in the member: it holds Pod theirs']);
    });

    it('does nothing more once it no longer leads', async () => {
      seedMember('shop');
      seedHost();
      await lead();
      await harness.end();
      harness.host.erase(namespaces, { name: 'shop' });
      await harness.settle(4);
      expect(present()).to.be.true;
    });
  });
});

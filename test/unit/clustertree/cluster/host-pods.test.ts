import { expect } from 'chai';
import type { Node, Pod } from '../../../../src/apis/core.js';
import { HostPods, type HostPodScope } from '../../../../src/clustertree/cluster/host-pods.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { nodes, objectKey, pods } from '../../../../src/kube/resource.js';
import { apiError, MemberHarness, virtualNode } from '../../../support/member-harness.js';

describe('HostPods', () => {
  let harness: MemberHarness;
  let hostNodes: Informer<Node>;
  let hostPods: HostPods;
  let scopes: string[];
  let heard: string[];

  function make(maxNodeWatches: number): void {
    hostPods = new HostPods({ hostNodes, createInformer, logger: harness.logger, maxNodeWatches });
  }

  function createInformer(scope: HostPodScope): Informer<Pod> {
    const { host } = harness;
    scopes.push('node' in scope ? scope.node : 'shared');
    if ('node' in scope) {
      return harness.createInformer({ client: host, type: pods, fieldSelector: `spec.nodeName=${scope.node}` });
    }
    const transform = (pod: Pod): Pod | undefined => (scope.keep(pod) ? pod : undefined);
    return harness.createInformer({ client: host, type: pods, fieldSelector: 'spec.nodeName!=', transform });
  }

  function addNode(name: string, cluster?: string): void {
    harness.host.seed(nodes, virtualNode(name, cluster));
  }

  function addPod(name: string, nodeName: string): Pod {
    return harness.host.seed(pods, { metadata: { namespace: 'shop', name }, spec: { nodeName, containers: [] } });
  }

  function names(cluster: string): string[] {
    return hostPods
      .list(cluster)
      .map((pod) => pod.metadata?.name ?? '')
      .sort();
  }

  function listen(cluster: string): () => void {
    return hostPods.addListener(cluster, (key, initial) => heard.push(`${cluster} ${key}${initial ? ' initial' : ''}`));
  }

  /** What was heard since the last call. */
  function news(): string[] {
    return heard.splice(0).sort();
  }

  function run(): Promise<void> {
    harness.track(hostPods.run(harness.signal));
    return harness.settle(3);
  }

  /** Lists of pods wait until the returned function is called. */
  function holdLists(): () => void {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    harness.host.intercept = ({ verb, resource }) => (verb === 'list' && resource === 'pods' ? held : undefined);
    return () => {
      harness.host.intercept = undefined;
      release();
    };
  }

  function openWatches(): number {
    return harness.host.callsOf({ verb: 'watch', type: pods }).length;
  }

  beforeEach(async () => {
    harness = new MemberHarness();
    scopes = [];
    heard = [];
    hostNodes = harness.hostNodes();
    make(2);
    addNode('a1', 'a');
    addNode('b1', 'b');
    await harness.settle();
  });

  afterEach(() => harness.end());

  describe('with a watch per node', () => {
    beforeEach(async () => {
      addPod('web', 'a1');
      addPod('db', 'b1');
      addPod('host', 'real');
      hostPods.setNodes('a', new Set(['a1']));
      hostPods.setNodes('b', new Set(['b1']));
      await run();
    });

    it('sees each cluster its own pods', () => {
      expect([names('a'), names('b')]).to.deep.equal([['web'], ['db']]);
      expect(hostPods.get('a', 'shop/web')?.metadata?.name).to.equal('web');
      expect(hostPods.get('a', 'shop/db')).to.be.undefined;
    });

    it('opens one watch for each node', () => {
      expect(scopes).to.deep.equal(['a1', 'b1']);
      expect(openWatches()).to.equal(2);
    });

    it('does nothing when a cluster says the same again', async () => {
      hostPods.setNodes('a', new Set(['a1']));
      await harness.settle();
      expect(scopes).to.deep.equal(['a1', 'b1']);
    });

    it('is current once the caches of all nodes are complete', async () => {
      expect(hostPods.isCurrent('a')).to.be.true;
      const release = holdLists();
      hostPods.setNodes('a', new Set(['a1', 'a2']));
      await harness.settle();
      expect([hostPods.isCurrent('a'), hostPods.isCurrent('b')]).to.deep.equal([false, true]);
      release();
      await harness.settle(3);
      expect(hostPods.isCurrent('a')).to.be.true;
    });

    it('is never current for a cluster that it does not know', () => {
      expect(hostPods.isCurrent('c')).to.be.false;
      expect(hostPods.get('c', 'shop/web')).to.be.undefined;
      expect(names('c')).to.be.empty;
    });

    it('tells a new listener of what is there, and all of what follows', async () => {
      listen('a');
      expect(news()).to.deep.equal(['a shop/web initial']);
      addPod('web2', 'a1');
      harness.host.edit(pods, { namespace: 'shop', name: 'web' }, { metadata: { labels: { a: 'b' } } });
      harness.host.erase(pods, { namespace: 'shop', name: 'web' });
      addPod('db2', 'b1');
      await harness.settle();
      expect(news()).to.deep.equal(['a shop/web', 'a shop/web', 'a shop/web2']);
    });

    it('tells a listener nothing more that has gone', async () => {
      listen('a')();
      news();
      addPod('web2', 'a1');
      await harness.settle();
      expect(news()).to.be.empty;
    });

    it('ends the watch of a node that nobody wants any more', async () => {
      hostPods.setNodes('a', new Set());
      await harness.settle();
      expect([hostPods.hasNode('a', 'a1'), hostPods.isCurrent('a'), names('a')]).to.deep.equal([false, false, []]);
      expect([names('b'), hostPods.isCurrent('b')]).to.deep.equal([['db'], true]);
    });

    it('takes over what a write returned', () => {
      const pod = hostPods.get('a', 'shop/web');
      const metadata = { ...pod?.metadata, resourceVersion: '999', labels: { written: 'yes' } };
      hostPods.assume({ ...pod, metadata });
      expect(hostPods.get('a', 'shop/web')?.metadata?.labels).to.deep.equal({ written: 'yes' });
    });

    it('lists the pods of one node', () => {
      expect(hostPods.listNode('b1').map(objectKey)).to.deep.equal(['shop/db']);
      expect(hostPods.listNode('other')).to.be.empty;
    });

    it('is not current while the watch of a node is broken', async () => {
      harness.host.intercept = ({ verb }) => {
        if (verb === 'watch') throw apiError(500, 'InternalError');
      };
      hostPods.setNodes('a', new Set(['a1', 'a2']));
      await harness.settle(3);
      expect(hostPods.isCurrent('a')).to.be.false;
    });
  });

  describe('when two clusters name the same node', () => {
    beforeEach(async () => {
      addPod('web', 'a1');
      hostPods.setNodes('a', new Set(['a1']));
      hostPods.setNodes('b', new Set(['a1', 'b1']));
      await run();
    });

    it('gives the pods to the one whose node it is', () => {
      expect([names('a'), names('b')]).to.deep.equal([['web'], []]);
      expect([hostPods.hasNode('a', 'a1'), hostPods.hasNode('b', 'a1')]).to.deep.equal([true, false]);
      expect(hostPods.get('b', 'shop/web')).to.be.undefined;
    });

    it('tells only that one', async () => {
      listen('a');
      listen('b');
      news();
      addPod('web2', 'a1');
      await harness.settle();
      expect(news()).to.deep.equal(['a shop/web2']);
    });

    it('goes on for the owner when the other leaves', async () => {
      hostPods.setNodes('b', new Set());
      addPod('web2', 'a1');
      await harness.settle();
      expect([names('a'), hostPods.isCurrent('a')]).to.deep.equal([['web', 'web2'], true]);
    });

    it('gives the pods to nobody while the node is gone', async () => {
      listen('a');
      news();
      harness.host.erase(nodes, { name: 'a1' });
      await harness.settle();
      expect([names('a'), names('b')]).to.deep.equal([[], []]);
      expect(news()).to.deep.equal(['a shop/web']);
    });

    it('gives the pods to whoever makes the node again', async () => {
      listen('b');
      harness.host.erase(nodes, { name: 'a1' });
      addNode('a1', 'b');
      await harness.settle();
      expect([names('a'), names('b')]).to.deep.equal([[], ['web']]);
      expect(news()).to.deep.equal(['b shop/web']);
    });

    it('tells both when the node changes hands', async () => {
      listen('a');
      listen('b');
      news();
      harness.host.edit(nodes, { name: 'a1' }, { metadata: { annotations: { 'kosmos-io/owned-by-cluster': 'b' } } });
      await harness.settle();
      expect(news()).to.deep.equal(['a shop/web', 'b shop/web']);
    });
  });

  it("leaves the pods of a real node alone that has a virtual node's name", async () => {
    harness.host.seed(nodes, { metadata: { name: 'worker' } });
    addPod('system', 'worker');
    hostPods.setNodes('a', new Set(['worker']));
    await run();
    listen('a');
    expect([names('a'), hostPods.get('a', 'shop/system'), news()]).to.deep.equal([[], undefined, []]);
  });

  describe('beyond the number of watches', () => {
    beforeEach(async () => {
      addNode('b2', 'b');
      addPod('web', 'a1');
      addPod('db', 'b1');
      addPod('host', 'real');
      hostPods.setNodes('a', new Set(['a1']));
      hostPods.setNodes('b', new Set(['b1', 'b2']));
      await run();
    });

    it('serves all nodes from one watch, which keeps no other pods', () => {
      expect(scopes).to.deep.equal(['shared']);
      expect([names('a'), names('b')]).to.deep.equal([['web'], ['db']]);
      expect(hostPods.get('a', 'shop/db')).to.be.undefined;
      expect(hostPods.listNode('a1').map(objectKey)).to.deep.equal(['shop/web']);
      expect(hostPods.listNode('real')).to.be.empty;
    });

    it('takes over what a write returned', () => {
      const pod = hostPods.get('b', 'shop/db');
      hostPods.assume({ ...pod, metadata: { ...pod?.metadata, resourceVersion: '999', labels: { written: 'yes' } } });
      expect(hostPods.get('b', 'shop/db')?.metadata?.labels).to.deep.equal({ written: 'yes' });
    });

    it('keeps the old watch until the one with a new node is complete', async () => {
      const release = holdLists();
      addNode('a2', 'a');
      addPod('new', 'a2');
      hostPods.setNodes('a', new Set(['a1', 'a2']));
      await harness.settle();
      expect([hostPods.isCurrent('a'), hostPods.isCurrent('b'), names('b')]).to.deep.equal([false, true, ['db']]);
      release();
      await harness.settle(3);
      expect([hostPods.isCurrent('a'), names('a')]).to.deep.equal([true, ['new', 'web']]);
    });

    it('starts only one more watch for nodes that come one after the other', async () => {
      const release = holdLists();
      hostPods.setNodes('a', new Set(['a1', 'a2']));
      hostPods.setNodes('a', new Set(['a1', 'a2', 'a3']));
      release();
      await harness.settle(3);
      expect(scopes).to.deep.equal(['shared', 'shared', 'shared']);
      expect([hostPods.isCurrent('a'), hostPods.isCurrent('b')]).to.deep.equal([true, true]);
    });

    it('needs no new watch when a node goes', async () => {
      addNode('b3', 'b');
      hostPods.setNodes('b', new Set(['b1', 'b2', 'b3']));
      await harness.settle(3);
      const before = scopes.length;
      hostPods.setNodes('b', new Set(['b1', 'b2']));
      expect([scopes.length, hostPods.isCurrent('b')]).to.deep.equal([before, true]);
    });

    it('goes back to a watch per node without a gap', async () => {
      const release = holdLists();
      hostPods.setNodes('b', new Set(['b1']));
      await harness.settle();
      expect([hostPods.isCurrent('a'), names('a'), names('b')]).to.deep.equal([true, ['web'], ['db']]);
      release();
      await harness.settle(3);
      expect(scopes).to.deep.equal(['shared', 'a1', 'b1']);
      addPod('web2', 'a1');
      await harness.settle();
      expect([names('a'), names('b')]).to.deep.equal([['web', 'web2'], ['db']]);
    });
  });

  it('goes over to one watch for all without a gap', async () => {
    addPod('web', 'a1');
    hostPods.setNodes('a', new Set(['a1']));
    await run();
    const release = holdLists();
    hostPods.setNodes('b', new Set(['b1', 'b2']));
    await harness.settle();
    expect([hostPods.isCurrent('a'), names('a')]).to.deep.equal([true, ['web']]);
    release();
    await harness.settle(3);
    expect([hostPods.isCurrent('a'), names('a')]).to.deep.equal([true, ['web']]);
    expect(hostPods.isCurrent('b')).to.be.true;
  });

  it('has every pod looked at again whose watch was replaced', async () => {
    addPod('web', 'a1');
    hostPods.setNodes('a', new Set(['a1']));
    await run();
    listen('a');
    news();
    hostPods.setNodes('b', new Set(['b1', 'b2']));
    await harness.settle(3);
    expect(news()).to.deep.equal(['a shop/web initial', 'a shop/web initial']);
  });

  it('hears of a pod that goes while watches are exchanged', async () => {
    addPod('web', 'a1');
    hostPods.setNodes('a', new Set(['a1']));
    await run();
    listen('a');
    const release = holdLists();
    hostPods.setNodes('b', new Set(['b1', 'b2']));
    await harness.settle();
    harness.host.erase(pods, { namespace: 'shop', name: 'web' });
    news();
    release();
    await harness.settle(3);
    expect([names('a'), news()]).to.deep.equal([[], ['a shop/web']]);
  });

  it('is not current before the nodes of the host are known', () => {
    const unsynced = harness.createInformer({ client: harness.host, type: nodes });
    const early = new HostPods({ hostNodes: unsynced, createInformer, logger: harness.logger });
    early.setNodes('a', new Set(['a1']));
    expect(early.isCurrent('a')).to.be.false;
  });

  it('watches nothing before it runs, nor after', async () => {
    hostPods.setNodes('a', new Set(['a1']));
    expect(scopes).to.be.empty;
    await run();
    await harness.end();
    hostPods.setNodes('b', new Set(['b1']));
    expect(scopes).to.deep.equal(['a1']);
  });

  it('ends at once when it was stopped before', async () => {
    hostPods.setNodes('a', new Set(['a1']));
    await hostPods.run(AbortSignal.abort());
    expect(scopes).to.be.empty;
  });
});

import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { PodIndex } from '../../../../src/clustertree/cluster/pod-index.js';
import { pods } from '../../../../src/kube/resource.js';
import { NODE, PodHarness, WEB } from '../../../support/pod-harness.js';

const THINGS = 'things';

describe('PodIndex', () => {
  let harness: PodHarness;
  let index: PodIndex;
  let stop: () => void;
  let changed: string[];

  beforeEach(async () => {
    harness = new PodHarness();
    changed = [];
    index = new PodIndex({
      clusterName: 'member1',
      hostPods: harness.hostPods,
      keysOf: (pod) => (pod.metadata?.annotations?.[THINGS] ?? '').split(' ').filter((key) => key !== ''),
      onChange: (key) => changed.push(key),
    });
    stop = index.start();
    await harness.settle(3);
  });

  afterEach(async () => {
    stop();
    await harness.end();
  });

  async function add(name: string, things: string, more: Partial<Pod> = {}): Promise<void> {
    const metadata = { namespace: 'shop', name, uid: name, annotations: { [THINGS]: things } };
    harness.addHostPod({ ...more, metadata });
    await harness.settle(2);
  }

  const podsOf = (key: string): string[] => [...index.podsOf(key)].sort();

  it('knows which pods use a thing, and which things are used', async () => {
    await add('a', 'x y');
    await add('b', 'y y');
    expect(podsOf('x')).to.deep.equal(['shop/a']);
    expect(podsOf('y')).to.deep.equal(['shop/a', 'shop/b']);
    expect(podsOf('z')).to.deep.equal([]);
    expect(index.usedBy('shop/b')).to.deep.equal(['y']);
    expect(index.keys()).to.have.members(['x', 'y']);
  });

  it('tells of things that a pod begins and ceases to use, and of no others', async () => {
    await add('a', 'x y');
    expect(changed.splice(0)).to.deep.equal(['x', 'y']);
    harness.host.edit(pods, { namespace: 'shop', name: 'a' }, { metadata: { annotations: { [THINGS]: 'y z' } } });
    await harness.settle(2);
    expect(changed.splice(0)).to.deep.equal(['z', 'x']);
    harness.host.edit(pods, { namespace: 'shop', name: 'a' }, { metadata: { labels: { a: 'b' } } });
    await harness.settle(2);
    expect(changed).to.deep.equal([]);
    expect(index.keys()).to.have.members(['y', 'z']);
  });

  it('forgets a pod with all that only it used', async () => {
    await add('a', 'x y');
    await add('b', 'y');
    changed = [];
    harness.host.erase(pods, { namespace: 'shop', name: 'a' });
    await harness.settle(2);
    expect(changed).to.deep.equal(['x', 'y']);
    expect(index.keys()).to.deep.equal(['y']);
    expect(index.usedBy('shop/a')).to.deep.equal([]);
  });

  it('knows nothing of pods on other nodes', async () => {
    await add('a', 'x', { spec: { nodeName: 'n1', containers: [] } });
    expect(index.keys()).to.deep.equal([]);
  });

  it('finds out what nobody told it: that a node is no longer the member’s', async () => {
    await add('a', 'x');
    harness.hostPods.setNodes('member1', new Set(['kosmos-other']));
    await harness.settle(2);
    index.refreshAll();
    expect(index.keys()).to.deep.equal([]);
  });

  it('begins with what is there', async () => {
    stop();
    harness.addHostPod({
      metadata: { ...WEB, annotations: { [THINGS]: 'x' } },
      spec: { nodeName: NODE, containers: [] },
    });
    await harness.settle(2);
    expect(index.keys()).to.deep.equal([]);
    stop = index.start();
    expect(index.keys()).to.deep.equal(['x']);
  });
});

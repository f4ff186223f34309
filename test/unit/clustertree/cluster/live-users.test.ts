import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { LiveUsers } from '../../../../src/clustertree/cluster/live-users.js';
import { pods } from '../../../../src/kube/resource.js';
import { apiError } from '../../../support/member-harness.js';
import { PodHarness } from '../../../support/pod-harness.js';

describe('LiveUsers', () => {
  let harness: PodHarness;
  let users: LiveUsers;

  beforeEach(async () => {
    harness = new PodHarness();
    const { host, hostPods } = harness;
    const keysOf = (pod: Pod): string[] => [`shop/${pod.metadata?.labels?.['uses'] ?? ''}`];
    users = new LiveUsers({ clusterName: 'member1', host, hostPods, keysOf });
    await harness.settle(3);
  });

  afterEach(() => harness.end());

  const has = (key: string): Promise<boolean> => users.has(key, harness.signal);
  const lists = (): number => harness.host.callsOf({ verb: 'list', type: pods }).length;

  it('finds a pod that the cache does not show yet', async () => {
    harness.addHostPod({ metadata: { namespace: 'shop', name: 'a', labels: { uses: 'x' } } });
    expect([await has('shop/x'), await has('shop/y')]).to.deep.equal([true, false]);
  });

  it('leaves out pods of other nodes', async () => {
    const metadata = { namespace: 'shop', name: 'a', labels: { uses: 'x' } };
    harness.addHostPod({ metadata, spec: { nodeName: 'n1', containers: [] } });
    expect(await has('shop/x')).to.be.false;
  });

  it('asks once for all that is asked about a namespace at the same time', async () => {
    const before = lists();
    await Promise.all([has('shop/x'), has('shop/y'), has('shop/z'), has('other/x')]);
    expect(lists() - before).to.equal(2);
    await has('shop/x');
    expect(lists() - before).to.equal(3);
  });

  it('says nothing when the host does not', async () => {
    harness.host.fail({ verb: 'list', type: pods, error: apiError(503, 'ServiceUnavailable') });
    const failed = await has('shop/x').catch((error: unknown) => error);
    expect(failed).to.have.property('statusCode', 503);
    expect(await has('shop/x')).to.be.false;
  });

  it('answers with nothing that was read before the question', async () => {
    const before = lists();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    harness.host.intercept = () => held;
    harness.host.fail({ verb: 'list', type: pods, error: apiError(503, 'ServiceUnavailable') });
    const first = has('shop/x').catch((error: unknown) => error);
    await harness.settle();
    harness.host.intercept = undefined;
    const later = Promise.all([has('shop/x'), has('shop/y')]);
    await harness.settle();
    expect(lists() - before).to.equal(1);
    harness.addHostPod({ metadata: { namespace: 'shop', name: 'a', labels: { uses: 'x' } } });
    release();
    expect(await later).to.deep.equal([true, false]);
    expect(lists() - before).to.equal(2);
    expect(await first).to.have.property('statusCode', 503);
  });

  it('gives up with the caller, and not with the others', async () => {
    const asking = users.has('shop/x', AbortSignal.abort(new Error('over'))).catch((error: unknown) => error);
    expect(await has('shop/x')).to.be.false;
    expect(await asking).to.have.property('message', 'over');
  });
});

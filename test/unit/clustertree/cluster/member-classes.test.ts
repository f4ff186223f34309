import { expect } from 'chai';
import { MemberClasses } from '../../../../src/clustertree/cluster/member-classes.js';
import { createInformerFactory } from '../../../../src/kube/informer-factory.js';
import { priorityClasses, runtimeClasses } from '../../../../src/kube/resource.js';
import { silentLogger } from '../../../../src/lib/logger.js';
import { systemClock, systemRandom } from '../../../../src/lib/clock.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { waitFor } from '../../../support/wait-for.js';

describe('MemberClasses', () => {
  const stop = new AbortController();
  let client: FakeKubeClient;
  let classes: MemberClasses;
  let running: Promise<void>;

  beforeEach(() => {
    client = new FakeKubeClient();
    client.seed(priorityClasses, { metadata: { name: 'high' } });
    client.seed(runtimeClasses, { metadata: { name: 'gvisor' } });
    const shared = { clock: systemClock, random: systemRandom, logger: silentLogger };
    classes = new MemberClasses('m1', client, createInformerFactory(shared));
  });

  after(async () => {
    stop.abort();
    await running;
  });

  it('knows nothing at first, which is not the same as none', () => {
    expect(classes.names).to.deep.equal({ priorityClasses: undefined, runtimeClasses: undefined });
  });

  it('knows the names once they are listed', async () => {
    running = classes.run(stop.signal);
    const known = (): boolean => !Object.values(classes.names).includes(undefined);
    await waitFor('both lists', known);
    expect([...(classes.names.priorityClasses ?? [])]).to.deep.equal(['high']);
    expect([...(classes.names.runtimeClasses ?? [])]).to.deep.equal(['gvisor']);
  });
});

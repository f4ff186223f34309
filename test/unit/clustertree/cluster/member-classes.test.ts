import { expect } from 'chai';
import { MemberClasses } from '../../../../src/clustertree/cluster/member-classes.js';
import { createInformerFactory } from '../../../../src/kube/informer-factory.js';
import { priorityClasses, runtimeClasses } from '../../../../src/kube/resource.js';
import { silentLogger } from '../../../../src/lib/logger.js';
import { systemRandom } from '../../../../src/lib/clock.js';
import { FakeClock, settle } from '../../../support/fake-clock.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { apiError } from '../../../support/member-harness.js';
import { waitFor } from '../../../support/wait-for.js';

describe('MemberClasses', () => {
  let stop: AbortController;
  let client: FakeKubeClient;
  let classes: MemberClasses;
  let running: Promise<void> | undefined;

  beforeEach(() => {
    stop = new AbortController();
    client = new FakeKubeClient();
    client.seed(priorityClasses, { metadata: { name: 'high' } });
    client.seed(runtimeClasses, { metadata: { name: 'gvisor' } });
    // Time stands still: nothing is tried again by itself.
    const shared = { clock: new FakeClock(), random: systemRandom, logger: silentLogger };
    classes = new MemberClasses('m1', client, createInformerFactory(shared));
  });

  afterEach(async () => {
    stop.abort();
    await running;
  });

  const known = (): boolean => !Object.values(classes.names).includes(undefined);

  it('knows nothing at first, which is not the same as none', () => {
    expect(classes.names).to.deep.equal({ priorityClasses: undefined, runtimeClasses: undefined });
  });

  it('knows the names once they are listed', async () => {
    running = classes.run(stop.signal);
    await waitFor('both lists', known);
    expect([...(classes.names.priorityClasses ?? [])]).to.deep.equal(['high']);
    expect([...(classes.names.runtimeClasses ?? [])]).to.deep.equal(['gvisor']);
  });

  it('asks at once when the member answers again, however long the wait had become', async () => {
    client.fail({ verb: 'list', error: apiError(503, 'ServiceUnavailable'), times: 2 });
    running = classes.run(stop.signal);
    await waitFor('both failures', () => client.callsOf({ verb: 'list' }).length === 2);
    await settle();
    expect(known()).to.be.false;
    classes.reconnect();
    await waitFor('both lists', known);
  });
});

import { expect } from 'chai';
import { createPoolCollector, PoolCollector } from '../../../../src/clusterlink/collector/pool-collector.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { ipPools } from '../../../../src/kube/network-resources.js';
import { LINKED, LinkHarness } from '../../../support/link-harness.js';
import { ipPool, linkedCluster } from '../../../support/link-objects.js';
import { apiError } from '../../../support/member-harness.js';

const WEST_POOL = 'clusterlink-west-pod-10-20-0-0-16';

describe('PoolCollector', () => {
  let harness: LinkHarness;

  beforeEach(() => {
    harness = new LinkHarness();
    harness.host.seed(clusters, linkedCluster('east', {}, { podCIDRs: ['10.10.0.0/16'] }));
    harness.host.seed(clusters, linkedCluster('west', {}, { podCIDRs: ['10.20.0.0/16'] }));
  });

  afterEach(() => harness.end());

  const names = (): unknown => harness.client.peekAll(ipPools).map(({ metadata }) => metadata?.name);
  const collector = (): PoolCollector => new PoolCollector(harness.clusters, harness.connect({ cni: 'calico' }));

  it('waits for the pools to be known', async () => {
    expect(await collector().reconcile(LINKED, harness.context)).to.deep.equal({ requeueAfterMs: 1_000 });
  });

  it('makes pools for other clusters, and takes away what nobody has any more', async () => {
    harness.client.seed(ipPools, ipPool('default', '10.10.0.0/16'));
    harness.client.seed(ipPools, ipPool('clusterlink-north-pod-10-30-0-0-16', '10.30.0.0/16', { disabled: true }));
    const subject = collector();
    await harness.calm();
    expect(await subject.reconcile(LINKED, harness.context)).to.deep.equal({ requeueAfterMs: 60_000 });
    expect(names()).to.deep.equal([WEST_POOL, 'default']);
  });

  it('does nothing where there is no Calico', async () => {
    harness.client.fail({ verb: 'list', type: ipPools, error: apiError(404, 'NotFound'), times: 100 });
    const subject = collector();
    await harness.calm();
    expect(await subject.reconcile(LINKED, harness.context)).to.deep.equal({ requeueAfterMs: 60_000 });
    expect(names()).to.deep.equal([]);
  });

  it('takes it easy when a pool is there already, and says so when it may not make one', async () => {
    const member = harness.connect({ cni: 'calico' });
    const subject = new PoolCollector(harness.clusters, member);
    await harness.calm();
    harness.client.fail({ verb: 'create', error: apiError(409, 'AlreadyExists') });
    await subject.reconcile(LINKED, harness.context);
    harness.client.fail({ verb: 'create', error: apiError(403, 'Forbidden') });
    const failed = await subject.reconcile(LINKED, harness.context).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
    expect(member.obstacles.list()).to.deep.equal([
      { reason: 'WriteFailed', message: "an IPPool can't be written: Forbidden" },
    ]);
    await subject.reconcile(LINKED, harness.context);
    expect(member.obstacles.list()).to.deep.equal([]);
  });

  it('runs for clusters with Calico while leading', async () => {
    const feature = createPoolCollector(harness);
    harness.track(harness.connect({ cni: 'calico' }, [feature]).lead(harness.signal));
    harness.track(harness.connect({ cni: 'calico', leaving: true }, [feature]).lead(harness.signal));
    harness.track(harness.connect({ cni: 'flannel' }, [feature]).lead(harness.signal));
    await harness.calm();
    await harness.calm();
    expect(names()).to.deep.equal([WEST_POOL]);
    harness.host.erase(clusters, { name: 'west' });
    await harness.calm();
    expect(names()).to.deep.equal([]);
  });
});

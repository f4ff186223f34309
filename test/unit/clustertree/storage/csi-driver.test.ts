import { expect } from 'chai';
import { desiredCsiDriver, installCsiDriver } from '../../../../src/clustertree/storage/csi-driver.js';
import { csiDrivers } from '../../../../src/kube/resource.js';
import { apiError, MemberHarness } from '../../../support/member-harness.js';

describe('installCsiDriver', () => {
  let harness: MemberHarness;

  beforeEach(() => {
    harness = new MemberHarness();
  });

  afterEach(() => harness.end());

  function install(): Promise<void> {
    const { host, clock, logger, signal } = harness;
    return installCsiDriver({ host, clock, logger }, signal);
  }

  it('makes a driver that attaches nothing', async () => {
    await install();
    const driver = harness.host.peek(csiDrivers, { name: 'member.kosmos.io' });
    expect(driver?.spec).to.deep.equal(desiredCsiDriver().spec);
    expect(driver?.spec.attachRequired).to.be.false;
  });

  it('leaves one that is there as it is', async () => {
    const metadata = { name: 'member.kosmos.io' };
    harness.host.seed(csiDrivers, { metadata, spec: { attachRequired: true } });
    await install();
    expect(harness.host.peek(csiDrivers, metadata)?.spec.attachRequired).to.be.true;
  });

  it('tries again when the host refuses, and says so', async () => {
    harness.host.fail({ verb: 'create', error: apiError(403, 'Forbidden') });
    const installed = install();
    await harness.settle();
    expect(harness.host.peekAll(csiDrivers)).to.deep.equal([]);
    await harness.clock.advance(30_000);
    await installed;
    expect(harness.host.peekAll(csiDrivers)).to.have.length(1);
  });

  it('ends when it is told to', async () => {
    harness.host.fail({ verb: 'create', error: apiError(403, 'Forbidden'), times: 9 });
    const installed = install();
    await harness.settle();
    harness.stop.abort(new Error('over'));
    await installed;
  });
});

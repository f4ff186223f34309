import { expect } from 'chai';
import type { NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { NodeNetwork, type SyncResult } from '../../../../src/clusterlink/agent/network.js';
import { KernelError } from '../../../../src/clusterlink/agent/netlink/kernel-error.js';
import { around, FakeKernel, FakeNftables, FakeSysctls } from './fake-kernel.js';
import { spec } from './specs.js';

describe('NodeNetwork', () => {
  let kernel: FakeKernel;
  let nftables: FakeNftables;
  let sysctls: FakeSysctls;
  let network: NodeNetwork;

  beforeEach(() => {
    kernel = new FakeKernel();
    nftables = new FakeNftables();
    sysctls = new FakeSysctls({ 'net/ipv4/ip_forward': '0', 'net/ipv6/conf/all/forwarding': '1' });
    network = new NodeNetwork({ kernel, nftables, sysctls, store: sysctls });
  });

  function sync(change: Partial<NodeConfigSpec> = {}, inspectTable = false): Promise<SyncResult> {
    const changed = { ...spec, ...change };
    return network.sync({ spec: changed, routes: changed.routes ?? [], around, inspectTable });
  }

  it('makes everything, and then has nothing to do', async () => {
    const first = await sync();
    expect(first).to.include({ changeCount: 13, driftCount: 0 });
    expect(first.errors).to.deep.equal([]);
    expect(first.changes).to.include.members([
      'add device vx-bridge',
      'set net/ipv4/ip_forward to 1',
      'replace the nftables table',
    ]);
    expect(await sync({}, true)).to.deep.equal({ changes: [], changeCount: 0, driftCount: 0, errors: [] });
  });

  it('counts what others have undone, and only that, as drift', async () => {
    await sync();
    kernel.lose('routes');
    expect(await sync()).to.include({ changeCount: 1, driftCount: 1 });
    expect(await sync({ routes: [] })).to.include({ changeCount: 2, driftCount: 0 });
  });

  it('translates addresses before there are routes that lead to them', async () => {
    await sync();
    expect(kernel.events.indexOf('between')).to.be.lessThan(kernel.events.indexOf('rest'));
    expect(nftables.runs).to.have.length(1);
  });

  it('looks into the table only when it is told to', async () => {
    await sync();
    nftables.table = 'something else';
    expect((await sync()).changeCount).to.equal(0);
    expect((await sync({}, true)).changes).to.deep.equal(['replace the nftables table']);
    nftables.table = undefined;
    expect((await sync({}, true)).driftCount).to.equal(1);
  });

  it('takes away a table that is there from before, when there should be none', async () => {
    nftables.table = 'old';
    await sync({ devices: [], routes: [], arps: [], fdbs: [] });
    expect(nftables.table).to.equal(undefined);
  });

  it("reports what can't be done in the kernel's own words, and does the rest", async () => {
    kernel.refusal = 'add device vx-bridge: EEXIST: in use';
    nftables.failure = new KernelError('nft -f -: syntax error');
    sysctls.readOnly = 'net/ipv4/ip_forward';
    const { errors } = await sync();
    expect(errors).to.have.members([
      'add device vx-bridge: EEXIST: in use',
      'nft -f -: syntax error',
      'sysctl net/ipv4/ip_forward: EROFS',
    ]);
    expect(kernel.state.routes.size).to.equal(2);
  });

  it('does not take for drift what it could not do before', async () => {
    nftables.failure = new KernelError('no');
    await sync();
    nftables.failure = undefined;
    expect(await sync()).to.include({ changeCount: 1, driftCount: 0 });
  });

  describe('when it is removed', () => {
    it('leaves nothing, and gives settings the values that they had', async () => {
      await sync();
      expect(sysctls.values['net/ipv4/ip_forward']).to.equal('1');
      expect(await network.remove(98)).to.deep.equal([]);
      expect(Object.values(kernel.state).map(({ size }: { size: number }) => size)).to.deep.equal([0, 0, 0, 0, 0, 0]);
      expect(nftables.table).to.equal(undefined);
      expect(sysctls.values).to.include({ 'net/ipv4/ip_forward': '0', 'net/ipv6/conf/all/forwarding': '1' });
    });

    it('leaves a setting alone that somebody has changed since', async () => {
      await sync();
      sysctls.values['net/ipv4/ip_forward'] = '2';
      await network.remove(98);
      expect(sysctls.values['net/ipv4/ip_forward']).to.equal('2');
    });

    it('says what is left', async () => {
      await sync();
      nftables.failure = new KernelError('nft: no');
      sysctls.readOnly = 'net/ipv4/ip_forward';
      expect(await network.remove(98)).to.deep.equal(['nft: no', 'sysctl net/ipv4/ip_forward: EROFS']);
    });
  });
});

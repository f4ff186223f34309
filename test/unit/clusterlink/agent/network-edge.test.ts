import { expect } from 'chai';
import type { NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { KernelError } from '../../../../src/clusterlink/agent/netlink/kernel-error.js';
import { NodeNetwork, type SyncResult } from '../../../../src/clusterlink/agent/network.js';
import { desiredSysctls } from '../../../../src/clusterlink/agent/sysctl.js';
import { desiredState } from '../../../../src/clusterlink/agent/desired.js';
import { around, FakeKernel, FakeNftables, FakeSysctls } from './fake-kernel.js';
import { spec, underlay } from './specs.js';

const V4_FORWARD = 'net/ipv4/ip_forward';
const V6_FORWARD = 'net/ipv6/conf/all/forwarding';
const ACCEPT_RA = 'net/ipv6/conf/eth0/accept_ra';
const EMPTY: Partial<NodeConfigSpec> = { devices: [], routes: [], fdbs: [], arps: [] };
const only = (name: string): Partial<NodeConfigSpec> => ({
  devices: spec.devices!.filter((device) => device.name === name),
  routes: spec.routes!.filter(({ dev }) => dev === name),
  fdbs: [],
  arps: [],
});

describe("a node's network", () => {
  let kernel: FakeKernel;
  let nftables: FakeNftables;
  let sysctls: FakeSysctls;
  let network: NodeNetwork;

  function begin(settings: Readonly<Record<string, string>>): void {
    kernel = new FakeKernel();
    nftables = new FakeNftables();
    sysctls = new FakeSysctls(settings);
    network = restarted();
  }

  const restarted = (): NodeNetwork => new NodeNetwork({ kernel, nftables, sysctls, store: sysctls });

  beforeEach(() => begin({ [V4_FORWARD]: '0', [V6_FORWARD]: '0', [ACCEPT_RA]: '1' }));

  function sync(change: Partial<NodeConfigSpec> = {}, inspectTable = false): Promise<SyncResult> {
    const changed = { ...spec, ...change };
    return network.sync({ spec: changed, routes: changed.routes ?? [], around, inspectTable });
  }

  describe('settings', () => {
    it('are those of the families that there are tunnels of', async () => {
      await sync(only('vx-bridge'));
      expect(sysctls.values).to.deep.equal({ [V4_FORWARD]: '1', [V6_FORWARD]: '0', [ACCEPT_RA]: '1' });
      begin(sysctls.values);
      await sync(only('vx-bridge-6'));
      expect(sysctls.values).to.deep.equal({ [V4_FORWARD]: '1', [V6_FORWARD]: '1', [ACCEPT_RA]: '2' });
    });

    it('keep the node listening to routers before it forwards', async () => {
      await sync();
      expect(Object.keys(sysctls.saved)).to.deep.equal([V4_FORWARD, ACCEPT_RA, V6_FORWARD]);
    });

    it('are given back in the opposite order, after all else', async () => {
      await sync();
      const written: string[] = [];
      const write = sysctls.write.bind(sysctls);
      sysctls.write = (key, value) => {
        written.push(`${key}=${value}`);
        expect(kernel.state.devices.size).to.equal(0);
        write(key, value);
      };
      expect(await network.remove(98)).to.deep.equal([]);
      expect(written).to.deep.equal([`${V6_FORWARD}=0`, `${ACCEPT_RA}=1`, `${V4_FORWARD}=0`]);
    });

    it('are not noted down when they were right before', async () => {
      begin({ [V4_FORWARD]: '1', [V6_FORWARD]: '1', [ACCEPT_RA]: '0' });
      await sync();
      await network.remove(98);
      expect(sysctls.saved).to.deep.equal({});
      expect(sysctls.values).to.deep.equal({ [V4_FORWARD]: '1', [V6_FORWARD]: '1', [ACCEPT_RA]: '0' });
    });

    it('are put right again as drift when somebody has changed them', async () => {
      await sync();
      sysctls.values[V4_FORWARD] = '0';
      const result = await sync();
      expect(result).to.deep.include({ changeCount: 1, driftCount: 1, changes: [`set ${V4_FORWARD} to 1`] });
    });

    it('of own devices are set without a word: they go away with them', async () => {
      const own = { 'net/ipv4/conf/vx-bridge/rp_filter': '1', 'net/ipv4/conf/vx-bridge/promote_secondaries': '0' };
      begin({ [V4_FORWARD]: '1', ...own });
      const { changes } = await sync(only('vx-bridge'));
      expect(Object.values(sysctls.values)).to.deep.equal(['1', '2', '1']);
      expect([sysctls.saved, changes.filter((line) => line.startsWith('set'))]).to.deep.equal([{}, []]);
    });

    it('that can not be noted down are not changed', async () => {
      sysctls.saveSysctl = () => {
        throw new Error('ENOSPC');
      };
      const { errors } = await sync(only('vx-bridge'));
      expect(errors).to.deep.equal([`sysctl ${V4_FORWARD}: ENOSPC`]);
      expect(sysctls.values[V4_FORWARD]).to.equal('0');
      expect(kernel.state.routes.size).to.equal(1);
    });

    it('that the kernel does not have are none of a problem', async () => {
      begin({});
      expect((await sync()).errors).to.deep.equal([]);
    });

    it('of an underlay are asked for once, however many tunnels use it', () => {
      const asked: string[] = [];
      const twice = [spec.devices![1]!, { ...spec.devices![1]!, name: 'vx-local-6', addr: '9480::1/16', id: 65 }];
      desiredSysctls(desiredState({ ...spec, devices: twice }, [], underlay).state, (key) => {
        asked.push(key);
        return undefined;
      });
      expect(asked).to.deep.equal([ACCEPT_RA]);
    });
  });

  describe('the table of nftables', () => {
    it('is written again after a restart, whatever is there', async () => {
      await sync();
      network = restarted();
      expect(await sync()).to.deep.include({ changeCount: 1, driftCount: 0, changes: ['replace the nftables table'] });
    });

    it('is written again when the config changes what is in it, and only then', async () => {
      await sync();
      await sync({ arps: [] });
      expect(nftables.runs).to.have.length(1);
      await sync({ settings: { clampMss: false } });
      expect(nftables.runs).to.have.length(2);
    });

    it('is tried again when it could not be written, also while its text is the same', async () => {
      await sync();
      nftables.failure = new KernelError('busy');
      expect((await sync({ settings: { clampMss: false } })).errors).to.deep.equal(['busy']);
      nftables.failure = undefined;
      expect((await sync({ settings: { clampMss: false } })).errors).to.deep.equal([]);
      expect(nftables.table).to.not.contain('maxseg');
    });

    it('is gone with the last device, and comes back with the first', async () => {
      await sync();
      expect((await sync(EMPTY)).errors).to.deep.equal([]);
      expect(nftables.table).to.equal(undefined);
      await sync();
      expect(nftables.table).to.contain('table inet kosmos');
    });
  });

  describe('what a sync tells', () => {
    it('is cut where it would be too long, but counted in full', async () => {
      const routes = Array.from({ length: 500 }, (_none, at) => ({
        ...{ cidr: `10.${at >> 8}.${at & 255}.0/24`, gw: '220.0.0.2', dev: 'vx-bridge' },
      }));
      const { changes, changeCount } = await sync({ routes });
      expect(changes.length).to.be.at.most(25);
      expect(changeCount).to.be.greaterThan(500);
    });

    it('has the mistakes of the config with those of the kernel, and does the rest', async () => {
      kernel.refusal = 'add address: EPERM';
      const { errors } = await sync({
        arps: [{ ip: 'x', mac: 'x', dev: 'vx-bridge' }],
        nat: [{ type: 'masquerade', family: 'ipv4' }],
      });
      expect(errors).to.have.length(3);
      expect(errors.map((error) => error.split(' ')[0])).to.deep.equal(['arp', 'nat', 'add']);
      expect(kernel.state.routes.size).to.equal(2);
    });

    it('does not take another underlay for drift: nobody has undone anything', async () => {
      await sync();
      const links = around.links.map((link) => ({ ...link, mtu: 1400 }));
      const result = await network.sync({
        spec,
        routes: spec.routes!,
        around: { ...around, links },
        inspectTable: false,
      });
      expect(result).to.include({ changeCount: 2, driftCount: 0 });
      expect([...kernel.state.devices.values()].map(({ vxlan }) => vxlan?.mtu)).to.deep.equal([1350, 1330]);
    });

    it('is nothing for a config that wants nothing, on a clean node', async () => {
      expect(await sync(EMPTY)).to.deep.equal({ changes: [], changeCount: 0, driftCount: 0, errors: [] });
      expect(sysctls.values[V4_FORWARD]).to.equal('0');
    });
  });

  it('can be removed twice, and before it was ever made', async () => {
    expect(await network.remove(98)).to.deep.equal([]);
    await sync();
    expect([await network.remove(98), await network.remove(98)]).to.deep.equal([[], []]);
    expect(sysctls.values).to.include({ [V4_FORWARD]: '0', [V6_FORWARD]: '0', [ACCEPT_RA]: '1' });
  });

  it('can be made again after it was removed', async () => {
    await sync();
    await network.remove(98);
    expect(await sync()).to.include({ driftCount: 0 });
    expect([kernel.state.routes.size, nftables.table === undefined]).to.deep.equal([2, false]);
  });
});

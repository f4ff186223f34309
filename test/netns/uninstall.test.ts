import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelLab } from './kernel-lab.js';
import { TwoClusters } from './two-clusters.js';

const NODES = ['east-n1', 'west-n2'];
const DUAL = { networkType: 'gateway', ipFamily: 'all' } as const;

/** All that an agent could leave behind. Neighbours that the kernel has learned come and go by themselves. */
const DUMPS: Readonly<Record<string, string>> = {
  devices: 'ip -details -oneline link',
  addresses: 'ip -oneline addr',
  routes: 'ip route show table all; ip -6 route show table all',
  rules: 'ip rule; ip -6 rule',
  neighbours: 'ip neigh show nud permanent; bridge fdb show',
  nftables: 'nft list ruleset',
  sysctls: 'sysctl -a 2>/dev/null | grep "^net\\." | grep -v "nf_conntrack_count"',
};

async function dump(lab: KernelLab, node: string): Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(DUMPS).map(async ([what, script]) => [what, await lab.script(node, script)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

describe('uninstalling an agent', () => {
  let clusters: TwoClusters;

  before(async () => {
    clusters = await TwoClusters.up('unin', { agents: false });
    const off = 'sysctl -q -w net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv6.conf.eth0.accept_ra=1';
    for (const node of NODES) await clusters.lab.script(node, off);
  });

  after(() => clusters.down());

  it('leaves the kernel as it was before the agent', async () => {
    const { lab } = clusters;
    const before = await Promise.all(NODES.map((node) => dump(lab, node)));
    for (const { name } of lab.nodes) lab.startAgent(name);
    await lab.apply(clusters.plan({ east: DUAL, west: DUAL }));
    for (const [index, node] of NODES.entries()) {
      const during = await dump(lab, node);
      const changed = Object.keys(DUMPS).filter((what) => during[what] !== before[index]?.[what]);
      expect(changed).to.deep.equal(Object.keys(DUMPS));
      expect(during['sysctls']).to.contain('net.ipv6.conf.eth0.accept_ra = 2');
    }
    for (const { name } of lab.nodes) await lab.uninstallAgent(name);
    for (const [index, node] of NODES.entries()) expect(await dump(lab, node)).to.deep.equal(before[index]);
  });

  it('leaves no file behind', () => {
    for (const node of NODES) expect(readdirSync(join(clusters.lab.directory, `state-${node}`))).to.deep.equal([]);
  });

  it('does nothing the second time, and where there never was one', async () => {
    const { lab } = clusters;
    const before = await dump(lab, 'east-n1');
    await lab.uninstallAgent('east-n1');
    expect(await dump(lab, 'east-n1')).to.deep.equal(before);
  });
});

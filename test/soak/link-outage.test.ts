import { expect } from 'chai';
import { nodes } from '../../src/kube/resource.js';
import { eventually } from '../support/eventually.js';
import { gatewayOf, hostOutage } from '../support/host-outage.js';
import { LinkScene } from '../support/link-scene.js';

const MINUTE_MS = 60_000;

for (const minutes of [1, 5]) {
  describe(`linked networks while the host is away for ${minutes} min`, function () {
    this.timeout(1_200_000);
    let scene: LinkScene;

    before(async () => {
      scene = await LinkScene.start({ instance: `soak-link-${minutes}`, members: 2, family: 'ipv4', overlap: false });
      await scene.linkAll('gateway');
      const metadata = { labels: { 'kosmos.io/gateway': '' } };
      await scene.lab.federation.host.patch(nodes, { name: 'host-node2' }, { metadata }, { type: 'merge' });
      await eventually(async () => expect(await gatewayOf(scene.lab, 'host')).to.equal('host-node2'));
      await scene.lab.linked(...scene.names);
    });

    after(() => scene.lab.down());

    it('go on, and replace a gateway by themselves', async () => {
      const [from, to] = [scene.podOn('member1-node1'), scene.podOn('host-node1')];
      const lost = await hostOutage({
        ...{ lab: scene.lab, from, to, gateway: 'host-node2', awayMs: minutes * MINUTE_MS },
      });
      process.stdout.write(
        `    host away for ${minutes} min: ${lost.restarts} ms lost by restarts of agents, ` +
          `${lost.gateway} ms by the end of a gateway, ${lost.comeback} ms by the host's return\n`,
      );
      expect(lost.restarts).to.be.at.most(100);
      expect(lost.gateway).to.be.at.most(5_000);
      expect(lost.comeback).to.be.at.most(100);
    });

    it('say which agents have gone silent', async () => {
      const { message } = await scene.lab.federation.clusterCondition(
        ...(['host', 'ClusterLinkReady', 'False', 'AgentsSilent'] as const),
      );
      expect(message).to.equal('the agents of host-node2 no longer renew their Leases');
    });

    it('still reach each other, members among themselves too', async () => {
      const [member1, member2] = [scene.podOn('member1-node2'), scene.podOn('member2-node2')];
      const host = scene.podOn('host-node1');
      for (const [from, to] of [
        [member1, member2],
        [member2, member1],
        [member2, host],
        [host, member1],
      ] as const) {
        expect(await scene.lab.reaches(from, to.ips[0] ?? '')).to.include(`hostname=${to.name}`);
      }
    });
  });
}

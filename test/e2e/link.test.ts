import { expect } from 'chai';
import { isIpv6 } from '../../hack/lab/addresses.js';
import { HOST_CLUSTER_LABEL, KOSMOS_NAMESPACE } from '../../src/apis/names.js';
import { leases, nodes } from '../../src/kube/resource.js';
import { eventually } from '../support/eventually.js';
import { gatewayOf, hostOutage } from '../support/host-outage.js';
import { SERVICE_PORT } from '../support/linked-lab.js';
import { LinkScene } from '../support/link-scene.js';
import { trafficSuite } from '../support/link-traffic-suite.js';

const OUTAGE_MS = 12_000;

for (const overlap of [false, true]) {
  describe(`linked networks of real clusters, ${overlap ? 'all with the same ranges' : 'with ranges of their own'}`, () => {
    let scene: LinkScene;
    let networks: readonly string[];

    before(async function () {
      this.timeout(300_000);
      const instance = overlap ? 'e2e-link-same' : 'e2e-link';
      scene = await LinkScene.start({ instance, members: 1, family: 'dual', overlap });
      networks = await allNetworks();
    });

    after(async () => {
      process.stdout.write(`${scene.matrix.render()}\n`);
      await scene.lab.down();
    });

    const allNetworks = (): Promise<readonly string[]> =>
      Promise.all(scene.lab.nodes.map(({ node }) => scene.lab.networkOf(node)));

    trafficSuite(() => scene, 'p2p');
    trafficSuite(() => scene, 'gateway');

    describe('its agents', () => {
      it('need no more than 80 MB of memory each, with a kubeconfig', () => {
        const memory = scene.lab.nodes.map(({ node }) => scene.lab.agentMemory(node));
        process.stdout.write(`        MB of each agent: ${memory.map((one) => one.toFixed(1)).join(', ')}\n`);
        for (const each of memory) expect(each).to.be.within(1, 80);
      });
    });

    if (!overlap) {
      describe('its gateways', () => {
        const label = async (cluster: string, node: string): Promise<void> => {
          const metadata = { labels: { 'kosmos.io/gateway': '' } };
          await scene.lab.federation.client(cluster).patch(nodes, { name: node }, { metadata }, { type: 'merge' });
          await eventually(async () => expect(await gatewayOf(scene.lab, cluster)).to.equal(node));
          await scene.lab.linked(cluster);
        };

        before(async function () {
          this.timeout(120_000);
          await scene.linkAll('gateway');
        });

        it('are handed over by a label, at the cost of 100 ms at most', async () => {
          const [from, to] = [scene.podOn('host-node2'), scene.podOn('member1-node1')];
          const lost = await scene.lab.lostDuring(from, to.ips[0] ?? '', 8_000, () =>
            label('member1', 'member1-node2'),
          );
          scene.matrix.note('gateway IPv4', 'ms lost, hand-over', String(lost));
          expect(lost).to.be.at.most(100);
        });

        it('are replaced within five seconds when one dies, by agents alone, and the manager confirms it', async () => {
          const [from, to] = [scene.podOn('host-node2'), scene.podOn('member1-node1')];
          const lost = await scene.lab.lostDuring(from, to.ips[0] ?? '', 9_000, () =>
            scene.lab.crashNode('member1-node2'),
          );
          scene.matrix.note('gateway IPv4', 'ms lost, crash', String(lost));
          expect(lost).to.be.at.most(5_000);
          await eventually(async () => expect(await gatewayOf(scene.lab, 'member1')).to.equal('member1-node1'));
        });

        it('are replaced without the host, also by agents that were restarted, and confirmed when it is back', async () => {
          const { lab, matrix } = scene;
          await label('host', 'host-node2');
          const [from, to] = [scene.podOn('member1-node1'), scene.podOn('host-node1')];
          const lost = await hostOutage({ lab, from, to, gateway: 'host-node2', awayMs: OUTAGE_MS });
          matrix.note('gateway IPv4', 'host away: ms lost, restarts', String(lost.restarts));
          matrix.note('gateway IPv4', 'crash', String(lost.gateway));
          matrix.note('gateway IPv4', 'comeback', String(lost.comeback));
          expect(lost.restarts).to.be.at.most(100);
          expect(lost.gateway).to.be.at.most(5_000);
          expect(lost.comeback).to.be.at.most(100);
        });
      });
    }

    if (overlap) {
      describe('a Service of the host', () => {
        it('sends host pods to pods in a member whose addresses the host has, too', async () => {
          const { lab, names } = scene;
          const published = await lab.startPodIn('member1', 'served');
          const real = (await lab.federation.pod('member1', { namespace: 'default', name: 'served' }))?.status?.podIPs;
          expect(published).to.deep.equal(real?.map(({ ip }) => scene.seen('member1', ip)));
          expect(published).to.have.length(2);
          const addresses = await lab.startService('host', 'served');
          expect(addresses).to.have.length(2);
          for (const from of scene.pods.filter(({ cluster }) => cluster === names[0])) {
            for (const address of addresses) {
              expect(await lab.reaches(from, address, SERVICE_PORT)).to.include('hostname=served');
              scene.matrix.note(`gateway ${isIpv6(address) ? 'IPv6' : 'IPv4'} overlap`, "host's Service", 'ok');
            }
          }
        });
      });
    }

    // Gateways that are killed in the other lab have no agent any more that could clean up.
    if (overlap) {
      describe('its end', () => {
        before(async function () {
          this.timeout(120_000);
          await scene.linkAll('gateway');
        });

        const leased = async (): Promise<readonly (string | undefined)[]> => {
          const options = { namespace: KOSMOS_NAMESPACE, labelSelector: HOST_CLUSTER_LABEL };
          const lists = scene.names.map((name) => scene.lab.federation.client(name).list(leases, options));
          return (await Promise.all(lists)).flatMap(({ items }) => items.map(({ spec }) => spec?.holderIdentity));
        };

        it('leaves nothing in the kernel when the link is switched off, nor Leases of agents', async () => {
          expect(await leased()).to.have.members(scene.lab.nodes.map(({ node }) => node));
          for (const name of scene.names) await scene.lab.link(name, { enable: false });
          await eventually(async () => {
            const differences = (await allNetworks()).flatMap((network, i) => {
              const [now, before] = [network.split('\n'), (networks[i] ?? '').split('\n')];
              const added = now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`);
              const removed = before.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
              return [...added, ...removed].map((line) => `${scene.lab.nodes[i]?.node} ${line}`);
            });
            expect(differences.join('\n')).to.equal('');
          });
          await eventually(async () => expect(await leased()).to.deep.equal([]));
        });
      });
    }
  });
}

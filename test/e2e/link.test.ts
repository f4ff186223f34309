import { expect } from 'chai';
import { isIpv6 } from '../../hack/lab/addresses.js';
import { nodes } from '../../src/kube/resource.js';
import { includesIp, mapIp, parseCidr, parseIp } from '../../src/lib/cidr.js';
import { eventually } from '../support/eventually.js';
import { LinkMatrix } from '../support/link-matrix.js';
import { LinkedLab, SERVICE_PORT, type LinkedPod } from '../support/linked-lab.js';

const NAMES = ['host', 'member1'] as const;
const MEGABYTES = 10;

/** How clusters with the same ranges see each other. */
const GLOBAL: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  host: {
    ...{ '10.0.0.0/14': '242.0.0.0/14', '10.4.0.0/16': '242.4.0.0/16' },
    ...{ 'fd10::/48': 'fdaa:0:1::/48', 'fd20::/112': 'fdab:0:1::/112' },
  },
  member1: {
    ...{ '10.0.0.0/14': '242.8.0.0/14', '10.4.0.0/16': '242.12.0.0/16' },
    ...{ 'fd10::/48': 'fdaa:0:2::/48', 'fd20::/112': 'fdab:0:2::/112' },
  },
};

/** By which address other clusters see one of this cluster. */
function globalAddress(cluster: string, address: string): string {
  const ip = parseIp(address);
  for (const [from, to] of Object.entries(GLOBAL[cluster] ?? {})) {
    const [real, global] = [parseCidr(from), parseCidr(to)];
    if (ip && real && global && includesIp(real, ip)) return mapIp(ip, real, global).text;
  }
  throw new Error(`${address} is in no range of ${cluster}`);
}

for (const overlap of [false, true]) {
  describe(`linked networks of real clusters, ${overlap ? 'all with the same ranges' : 'with ranges of their own'}`, () => {
    const matrix = new LinkMatrix();
    const serviceIps = new Map<string, readonly string[]>();
    const seen = (cluster: string, ip: string): string => (overlap ? globalAddress(cluster, ip) : ip);
    let lab: LinkedLab;
    let pods: readonly LinkedPod[];
    let networks: readonly string[];

    before(async function () {
      this.timeout(300_000);
      const instance = overlap ? 'e2e-link-same' : 'e2e-link';
      lab = await LinkedLab.start({ instance, members: 1, nodes: 2, hostNodes: 2, family: 'dual', sameCidrs: overlap });
      pods = await lab.startPods();
      for (const name of NAMES) serviceIps.set(name, await lab.startService(name));
      await lab.settled();
      networks = await allNetworks();
    });

    after(async () => {
      process.stdout.write(`${matrix.render()}\n`);
      await lab.down();
    });

    const allNetworks = (): Promise<readonly string[]> => Promise.all(lab.nodes.map(({ node }) => lab.networkOf(node)));

    async function linkAll(networkType: 'p2p' | 'gateway'): Promise<void> {
      for (const name of NAMES) {
        const globalCIDRsMap = overlap ? GLOBAL[name] : undefined;
        const map = globalCIDRsMap && { globalCIDRsMap };
        await lab.link(name, { ipFamily: 'all', cni: 'generic', networkType, ...map });
      }
      await lab.linked(...NAMES);
    }

    const familyOf = (ip: string): string => (isIpv6(ip) ? 'IPv6' : 'IPv4');

    /** Each pod with each address of each pod of the other cluster. */
    function* pairs(): Generator<{ from: LinkedPod; to: LinkedPod; ip: string; source: string }> {
      for (const from of pods) {
        for (const to of pods.filter(({ cluster }) => cluster !== from.cluster)) {
          for (const ip of to.ips) {
            const own = from.ips.find((each) => isIpv6(each) === isIpv6(ip)) ?? '';
            yield { from, to, ip: seen(to.cluster, ip), source: seen(from.cluster, own) };
          }
        }
      }
    }

    for (const networkType of ['p2p', 'gateway'] as const) {
      describe(networkType, () => {
        const way = (ip: string): string => `${networkType} ${familyOf(ip)}${overlap ? ' overlap' : ''}`;

        before(async function () {
          this.timeout(120_000);
          await linkAll(networkType);
        });

        it('lets every pod reach the pods of the other cluster, which see its own address', async () => {
          for (const { from, to, ip, source } of pairs()) {
            const answer = await lab.reaches(from, ip);
            expect(answer).to.include(`hostname=${to.name}`);
            expect(answer.replaceAll('::ffff:', '')).to.include(`client=[${source}]`);
            await lab.inPod(from, 'ping', '-c', '1', '-W', '2', ip);
            matrix.note(way(ip), 'pod-pod TCP+ping', 'ok');
          }
        });

        it('carries ten megabytes unharmed', async () => {
          for (const to of pods) await lab.inPod(to, 'sh', '-c', `head -c ${MEGABYTES << 20} /dev/zero > /www/big`);
          for (const { from, ip } of pairs()) {
            const host = isIpv6(ip) ? `[${ip}]` : ip;
            const count = await lab.inPod(from, 'sh', '-c', `timeout 20 wget -qO- http://${host}:8080/big | wc -c`);
            expect(Number(count.stdout.trim())).to.equal(MEGABYTES << 20);
            matrix.note(way(ip), `TCP ${MEGABYTES} MB`, 'ok');
          }
        });

        it('lets every pod reach the Services of the other cluster', async () => {
          for (const from of pods) {
            for (const cluster of NAMES.filter((name) => name !== from.cluster)) {
              for (const ip of serviceIps.get(cluster) ?? []) {
                const answer = await lab.reaches(from, seen(cluster, ip), SERVICE_PORT);
                expect(answer).to.match(new RegExp(`hostname=on-${cluster}-node`));
                matrix.note(way(ip), 'pod-ClusterIP', 'ok');
              }
            }
          }
        });

        it('lets every node reach the pods of the other cluster', async () => {
          for (const { cluster, node } of lab.nodes) {
            for (const to of pods.filter((pod) => pod.cluster !== cluster)) {
              for (const ip of to.ips.map((each) => seen(to.cluster, each))) {
                const url = `http://${isIpv6(ip) ? `[${ip}]` : ip}:8080/`;
                const answer = await eventually(() => lab.onNode(node, 'curl', '-s', '-m', '3', url), {
                  timeoutMs: 15_000,
                });
                expect(answer.trim()).to.equal(to.name);
                matrix.note(way(ip), 'node-pod', 'ok');
              }
            }
          }
        });
      });
    }

    if (!overlap) {
      describe('its gateways', () => {
        before(async function () {
          this.timeout(120_000);
          await linkAll('gateway');
        });

        const gatewayOf = async (name: string): Promise<string | undefined> => {
          const cluster = await lab.cluster(name);
          return cluster.status?.clusterLinkStatus?.gateway;
        };
        const label = (node: string, value: string | null): Promise<unknown> =>
          lab.federation
            .client('member1')
            .patch(nodes, { name: node }, { metadata: { labels: { 'kosmos.io/gateway': value } } }, { type: 'merge' });

        it('are handed over by a label, at the cost of 100 ms at most', async () => {
          const [from, to] = [pods[1], pods[2]];
          if (from === undefined || to === undefined) throw new Error('there are too few pods');
          const pinging = lab.ping(from, to.ips[0] ?? '', { count: 400, intervalMs: 20 });
          await label('member1-node2', '');
          await eventually(async () => expect(await gatewayOf('member1')).to.equal('member1-node2'));
          await lab.linked('member1');
          const { sent, received } = await pinging;
          matrix.note('gateway IPv4', 'ms lost, hand-over', String((sent - received) * 20));
          expect((sent - received) * 20).to.be.at.most(100);
        });

        it('are replaced within five seconds when one dies, by agents alone, and the manager confirms it', async () => {
          const [from, to] = [pods[1], pods[2]];
          if (from === undefined || to === undefined) throw new Error('there are too few pods');
          const pinging = lab.ping(from, to.ips[0] ?? '', { count: 600, intervalMs: 20 });
          await lab.killAgent('member1-node2');
          await lab.onNode('member1-node2', 'ip', 'link', 'set', 'eth0', 'down');
          const { sent, received } = await pinging;
          matrix.note('gateway IPv4', 'ms lost, crash', String((sent - received) * 20));
          expect((sent - received) * 20).to.be.at.most(5_000);
          await eventually(async () => expect(await gatewayOf('member1')).to.equal('member1-node1'));
        });
      });
    }

    // The gateway that is killed in the other lab has no agent any more that could clean up.
    if (overlap) {
      describe('its end', () => {
        before(async function () {
          this.timeout(120_000);
          await linkAll('gateway');
        });

        it('leaves nothing in the kernel when the link is switched off', async () => {
          for (const name of NAMES) await lab.link(name, { enable: false });
          await eventually(async () => {
            const differences = (await allNetworks()).flatMap((network, i) => {
              const [now, before] = [network.split('\n'), (networks[i] ?? '').split('\n')];
              const added = now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`);
              const removed = before.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
              return [...added, ...removed].map((line) => `${lab.nodes[i]?.node} ${line}`);
            });
            expect(differences.join('\n')).to.equal('');
          });
        });
      });
    }
  });
}

import { expect } from 'chai';
import type { ClusterLinkOptions } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import { eventually } from '../support/eventually.js';
import { type ClusterName, TwoClusters } from './two-clusters.js';

type Family = 'ipv4' | 'ipv6';

const CLIENT = [process.execPath, 'dist/test/netns/programs/client.js'];
const TEN_MEGABYTES = 10 << 20;
const NODES = ['east-n1', 'east-n2', 'west-n1', 'west-n2'];
const ROWS: string[] = [];

const MODES: readonly (readonly [string, ClusterLinkOptions['networkType'], ClusterLinkOptions['networkType']])[] = [
  ['p2p', 'p2p', 'p2p'],
  ['gateway', 'gateway', 'gateway'],
  ['gateway/p2p', 'gateway', 'p2p'],
];
const FAMILIES: readonly (readonly ['ipv4' | 'ipv6' | 'all', readonly Family[]])[] = [
  ['ipv4', ['ipv4']],
  ['ipv6', ['ipv6']],
  ['all', ['ipv4', 'ipv6']],
];

function pairs(): readonly (readonly [string, string])[] {
  return NODES.flatMap((from) =>
    NODES.filter((to) => !to.startsWith(from.slice(0, 4))).map((to) => [from, to] as const),
  );
}

function both(
  mode: (typeof MODES)[number],
  ipFamily: 'ipv4' | 'ipv6' | 'all',
): Readonly<Record<ClusterName, ClusterLinkOptions>> {
  return { east: { networkType: mode[1], ipFamily }, west: { networkType: mode[2], ipFamily } };
}

for (const overlap of [false, true]) {
  describe(`traffic between clusters ${overlap ? 'of the same ranges' : 'of ranges of their own'}`, () => {
    let clusters: TwoClusters;

    before(async () => {
      clusters = await TwoClusters.up(overlap ? 'ovl' : 'trf', { overlap });
      for (const node of NODES)
        clusters.lab.start(`floater-${node}`, `${node}-pod`, ['dist/src/bin/agent.js', 'floater']);
    });

    after(async () => {
      await clusters.down();
      if (overlap)
        process.stdout.write(['', '    mode         family  ranges   pings  source  TCP  UDP', ...ROWS, ''].join('\n'));
    });

    async function ping(from: string, target: string): Promise<void> {
      await clusters.lab.exec(from, 'busybox', 'ping', '-c', '1', '-W', '2', target);
    }

    /** Who the pod's HTTP server believes to be asked by. */
    async function seenSource(from: string, target: string): Promise<string> {
      const body = await clusters.lab.exec(from, ...CLIENT, 'http', target, '8889');
      return (JSON.parse(body) as { readonly client: string }).client.replace(/^::ffff:/, '');
    }

    for (const mode of MODES) {
      for (const [ipFamily, families] of FAMILIES) {
        it(`flows in mode ${mode[0]} with family ${ipFamily}`, async () => {
          await clusters.lab.apply(clusters.plan(both(mode, ipFamily)));
          for (const family of families) {
            const address = (node: string): string => clusters.seenFromOutside(node, family);
            for (const [from, to] of pairs()) {
              await eventually(() => ping(`${from}-pod`, address(to)), { timeoutMs: 5_000 });
            }
            // A node's own processes reach pods of the other cluster, too.
            await ping('east-n2', address('west-n2'));
            await ping('west-n1', address('east-n2'));
            expect(await seenSource('east-n2-pod', address('west-n2'))).to.equal(address('east-n2'));
            await clusters.lab.exec('east-n2-pod', ...CLIENT, 'tcp', address('west-n2'), '8890', String(TEN_MEGABYTES));
            await clusters.lab.exec('west-n2-pod', ...CLIENT, 'udp', address('east-n1'), '8890', '1200');
            const ranges = overlap ? 'same' : 'own';
            ROWS.push(`    ${mode[0].padEnd(12)} ${family.padEnd(7)} ${ranges.padEnd(7)}  10/10  kept    10M  ok`);
          }
        });
      }
    }
  });
}

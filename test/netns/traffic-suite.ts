import { expect } from 'chai';
import type { ClusterLinkOptions } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import { eventually } from '../support/eventually.js';
import { type ClusterName, TwoClusters } from './two-clusters.js';

type Family = 'ipv4' | 'ipv6';

const CLIENT = [process.execPath, 'dist/test/netns/programs/client.js'];
const TEN_MEGABYTES = 10 << 20;
const NODES = ['east-n1', 'east-n2', 'west-n1', 'west-n2'];

/** Network types of the two clusters. */
const MODES = { p2p: ['p2p', 'p2p'], gateway: ['gateway', 'gateway'], 'gateway/p2p': ['gateway', 'p2p'] } as const;
const FAMILIES: Readonly<Record<'ipv4' | 'ipv6' | 'all', readonly Family[]>> = {
  ipv4: ['ipv4'],
  ipv6: ['ipv6'],
  all: ['ipv4', 'ipv6'],
};

/** A mode, and a family that clusters are linked with. */
export type TrafficCase = readonly [keyof typeof MODES, keyof typeof FAMILIES];

function pairs(): readonly (readonly [string, string])[] {
  return NODES.flatMap((from) =>
    NODES.filter((to) => !to.startsWith(from.slice(0, 4))).map((to) => [from, to] as const),
  );
}

function both([mode, ipFamily]: TrafficCase): Readonly<Record<ClusterName, ClusterLinkOptions>> {
  const [east, west] = MODES[mode];
  return { east: { networkType: east, ipFamily }, west: { networkType: west, ipFamily } };
}

/** Agents of two clusters on this kernel; pods of each talk to those of the other in each of the cases. */
export function describeTraffic(overlap: boolean, cases: readonly TrafficCase[]): void {
  const rows: string[] = [];
  describe(`traffic between clusters ${overlap ? 'of the same ranges' : 'of ranges of their own'}`, () => {
    let clusters: TwoClusters;

    before(async () => {
      clusters = await TwoClusters.up(overlap ? 'ovl' : 'trf', { overlap });
      for (const node of NODES)
        clusters.lab.start(`floater-${node}`, `${node}-pod`, ['dist/src/bin/agent.js', 'floater']);
    });

    after(async () => {
      await clusters.down();
      process.stdout.write(['', '    mode         family  ranges   pings  source  TCP  UDP', ...rows, ''].join('\n'));
    });

    async function ping(from: string, target: string): Promise<void> {
      await clusters.lab.exec(from, 'busybox', 'ping', '-c', '1', '-W', '2', target);
    }

    /** Who the pod's HTTP server believes to be asked by. */
    async function seenSource(from: string, target: string): Promise<string> {
      const body = await clusters.lab.exec(from, ...CLIENT, 'http', target, '8889');
      return (JSON.parse(body) as { readonly client: string }).client.replace(/^::ffff:/, '');
    }

    for (const one of cases) {
      const [mode, ipFamily] = one;
      it(`flows in mode ${mode} with family ${ipFamily}`, async () => {
        await clusters.lab.apply(clusters.plan(both(one)));
        for (const family of FAMILIES[ipFamily]) {
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
          rows.push(`    ${mode.padEnd(12)} ${family.padEnd(7)} ${ranges.padEnd(7)}  10/10  kept    10M  ok`);
        }
      });
    }
  });
}

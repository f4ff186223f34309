import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeConfigSpec, NodeConfigStatus } from '../../../src/apis/kosmos/v1alpha1/node-config.js';
import { median, rounded } from '../statistics.js';
import { ended, Namespaces } from './namespaces.js';
import type { LinkBenchPart } from './part.js';

const AGENT = 'dist/src/bin/agent.js';
const THROUGHPUT = 'dist/hack/bench/link/programs/throughput.js';
const PORT = '5201';
const SECONDS = '3';
const PINGS = 200;
const READY_LIMIT_MS = 20_000;

/** One of two nodes, each with a pod in a namespace behind it. */
interface Side {
  readonly node: string;
  readonly pod: string;
  readonly underlay: string;
  /** Second number of tunnel addresses, and of the pod's prefixes. */
  readonly number: number;
  readonly mac: string;
}

const LEFT: Side = { node: 'left', pod: 'leftp', underlay: '172.18.1.1', number: 1, mac: '02:00:00:00:00:01' };
const RIGHT: Side = { node: 'right', pod: 'rightp', underlay: '172.18.2.1', number: 2, mac: '02:00:00:00:00:02' };

/** The pod has an address for each way to it. */
const WAYS = { ours: 10, hand: 11, none: 12 } as const;
type Way = keyof typeof WAYS;

function podIp(way: Way, { number }: Side): string {
  return `10.${WAYS[way]}.${number}.5`;
}

/**
 * TCP from a pod on one node to a pod on another: through the agent's tunnel, through a VXLAN device made by hand, and
 * without a tunnel, in turns.
 */
export const tunnelPart: LinkBenchPart = {
  name: 'tunnel',
  run: async ({ repeat }, log) => {
    const directory = mkdtempSync(join(tmpdir(), 'kosmos-bench-'));
    const spaces = await Namespaces.make(LEFT.node, RIGHT.node, LEFT.pod, RIGHT.pod);
    const children = [];
    try {
      await makeNodes(spaces);
      for (const [own, other] of [
        [LEFT, RIGHT],
        [RIGHT, LEFT],
      ] as const) {
        await makeByHand(spaces, own, other);
        children.push(startAgent(spaces, directory, own, other));
      }
      await Promise.all([LEFT, RIGHT].map((side) => applied(directory, side)));
      const server = spaces.start(RIGHT.pod, process.execPath, THROUGHPUT, 'serve', PORT);
      children.push(server);
      await new Promise((resolve) => server.stdout?.once('data', resolve));
      const speeds: Record<Way, number[]> = { ours: [], hand: [], none: [] };
      for (let round = 0; round < repeat; round++) {
        log(`throughput, round ${round + 1} of ${repeat}`);
        // In another order each time, so that none is always the first.
        for (const way of turned(Object.keys(WAYS) as Way[], round)) speeds[way].push(await throughput(spaces, way));
      }
      log('round-trip times');
      const rtt = { ours: await roundTripMs(spaces, 'ours'), none: await roundTripMs(spaces, 'none') };
      const gbits = (way: Way): number => rounded((median(speeds[way]) * 8) / 1e9, 2);
      return {
        ratio: rounded(median(speeds.ours) / median(speeds.hand), 3),
        ratioToNoTunnel: rounded(median(speeds.ours) / median(speeds.none), 3),
        gbitPerSecond: { ours: gbits('ours'), hand: gbits('hand'), none: gbits('none') },
        addedRttMs: rounded(rtt.ours - rtt.none, 3),
      };
    } finally {
      await Promise.all(children.map(ended));
      await spaces.remove();
      rmSync(directory, { recursive: true });
    }
  },
};

/** The items, beginning with another one. */
function turned<T>(items: readonly T[], by: number): readonly T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

async function makeNodes(spaces: Namespaces): Promise<void> {
  await spaces.script(LEFT.node, `ip link add eth0 type veth peer name eth0 netns ${spaces.path(RIGHT.node)}`);
  for (const [own, other] of [
    [LEFT, RIGHT],
    [RIGHT, LEFT],
  ] as const) {
    const ways = Object.keys(WAYS) as Way[];
    await spaces.script(
      own.node,
      `ip addr add ${own.underlay}/16 dev eth0
       ip link set eth0 up
       ip route add default via ${other.underlay}
       ip link add pods type veth peer name eth0 netns ${spaces.path(own.pod)}
       ip link set pods up
       echo 1 > /proc/sys/net/ipv4/ip_forward
       ${ways.map((way) => `ip addr add 10.${WAYS[way]}.${own.number}.1/24 dev pods`).join('\n')}
       ip route add 10.${WAYS.none}.${other.number}.0/24 via ${other.underlay}`,
    );
    await spaces.script(
      own.pod,
      `ip link set eth0 up
       ${ways.map((way) => `ip addr add ${podIp(way, own)}/24 dev eth0`).join('\n')}
       ${ways.map((way) => `ip route add 10.${WAYS[way]}.0.0/16 via 10.${WAYS[way]}.${own.number}.1 src ${podIp(way, own)}`).join('\n')}`,
    );
  }
}

async function makeByHand(spaces: Namespaces, own: Side, other: Side): Promise<void> {
  await spaces.script(
    own.node,
    `ip link add vx-hand address ${own.mac} type vxlan id 77 local ${own.underlay} dev eth0 dstport 4999 nolearning
     ip addr add 221.0.0.${own.number}/8 dev vx-hand
     ip link set vx-hand up
     bridge fdb append ${other.mac} dev vx-hand dst ${other.underlay} self permanent
     ip neigh replace 221.0.0.${other.number} lladdr ${other.mac} dev vx-hand nud permanent
     ip route add 10.${WAYS.hand}.${other.number}.0/24 via 221.0.0.${other.number} dev vx-hand onlink`,
  );
}

function startAgent(spaces: Namespaces, directory: string, own: Side, other: Side): ReturnType<Namespaces['start']> {
  const dev = 'vx-bridge';
  const spec: NodeConfigSpec = {
    ...{ clusterName: own.node, nodeName: own.node, nat: [] },
    devices: [
      { type: 'vxlan', name: dev, addr: `220.0.0.${own.number}/8`, mac: own.mac, bindDev: 'eth0', id: 54, port: 4876 },
    ],
    fdbs: [{ ip: other.underlay, mac: other.mac, dev }],
    arps: [{ ip: `220.0.0.${other.number}`, mac: other.mac, dev }],
    routes: [{ cidr: `10.${WAYS.ours}.${other.number}.0/24`, gw: `220.0.0.${other.number}`, dev }],
  };
  const file = join(directory, own.node);
  writeFileSync(file, JSON.stringify({ spec }));
  const options = ['--node-config', file, '--state-dir', `${file}.state`, '--health-port', '0'];
  return spaces.start(own.node, process.execPath, AGENT, ...options);
}

async function applied(directory: string, { node }: Side): Promise<void> {
  const endsAt = performance.now() + READY_LIMIT_MS;
  for (;;) {
    const status = readStatus(join(directory, `${node}.status`));
    if (status?.conditions?.[0]?.status === 'True') return;
    if (performance.now() > endsAt) throw new Error(`the agent is not ready: ${JSON.stringify(status)}`);
    await sleep(100);
  }
}

function readStatus(path: string): NodeConfigStatus | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as NodeConfigStatus;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Bytes per second. */
async function throughput(spaces: Namespaces, way: Way): Promise<number> {
  return Number(await spaces.exec(LEFT.pod, process.execPath, THROUGHPUT, 'send', podIp(way, RIGHT), PORT, SECONDS));
}

async function roundTripMs(spaces: Namespaces, way: Way): Promise<number> {
  const ping = ['busybox', 'ping', '-q', '-i', '0.01', '-c', String(PINGS), podIp(way, RIGHT)];
  const output = await spaces.exec(LEFT.pod, ...ping);
  const average = /= [\d.]+\/([\d.]+)\//.exec(output)?.[1];
  if (average === undefined) throw new Error(`no answer: ${output}`);
  return Number(average);
}

import { expect } from 'chai';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import type { KernelLab } from './kernel-lab.js';
import { TwoClusters } from './two-clusters.js';

const GATEWAY = { networkType: 'gateway', ipFamily: 'ipv4' } as const;
const OPTIONS = { east: GATEWAY, west: GATEWAY };
const INTERVAL_MS = 20;

describe('gateways', () => {
  let clusters: TwoClusters;
  let lab: KernelLab;

  before(async () => {
    clusters = await TwoClusters.up('fail');
    ({ lab } = clusters);
    await lab.apply(clusters.plan(OPTIONS));
    await allAnswer();
  });

  after(() => clusters.down());

  /** Until every agent knows that all gateways are there. */
  async function allAnswer(): Promise<void> {
    for (const { name } of lab.nodes) {
      await eventually(
        () => {
          const peers = lab.status(name).peers ?? [];
          expect(peers.length, name).to.be.greaterThan(0);
          expect(peers.filter(({ reachable }) => !reachable)).to.deep.equal([]);
        },
        { timeoutMs: 15_000 },
      );
    }
  }

  /** For how long nothing came through while something happened, in milliseconds. */
  async function lostDuring(seconds: number, happen: () => Promise<void>): Promise<number> {
    const count = Math.round((seconds * 1000) / INTERVAL_MS);
    const target = clusters.seenFromOutside('west-n2', 'ipv4');
    const ping = ['busybox', 'ping', '-i', String(INTERVAL_MS / 1000), '-c', String(count), '-W', '1', target];
    const pinging = lab.tryExec('east-n2-pod', ...ping);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await happen();
    const { stdout } = await pinging;
    const [, sent = '0', received = '0'] = /(\d+) packets transmitted, (\d+) packets received/.exec(stdout) ?? [];
    expect(Number(sent), stdout.slice(-300)).to.equal(count);
    return (Number(sent) - Number(received)) * INTERVAL_MS;
  }

  /** In the order of the network-manager: who takes over, those who send to it, and last who is relieved. */
  async function handOver(order: readonly [number, number]): Promise<void> {
    const configs = clusters.plan(OPTIONS, order);
    const [next, relieved] = order.map((index) => [`east-n${index}`, `west-n${index}`]);
    for (const nodes of [next ?? [], relieved ?? []]) {
      const generations = nodes.map((node) => lab.configure(node, configs.get(node) ?? {}));
      await Promise.all(nodes.map((node, index) => lab.applied(node, generations[index] ?? 0)));
    }
  }

  function active(node: string, cluster: string): string | undefined {
    return lab.status(node).activeGateways?.find(({ clusterName }) => clusterName === cluster)?.nodeName;
  }

  it('tell of each other how long a probe takes', async () => {
    // Probes of the time before both had their tunnels count until newer ones have taken their place.
    await eventually(() => {
      const peer = lab.status('west-n1').peers?.find(({ name }) => name === 'east/n1');
      expect(peer).to.include({ ip: '220.18.1.11', reachable: true, loss: 0 });
      expect(peer?.rttMs).to.be.within(0, 2_000);
    });
  });

  it('are handed over without a break when it is planned', async () => {
    const lost = await lostDuring(5, async () => {
      await handOver([2, 1]);
      await handOver([1, 2]);
    });
    process.stdout.write(`    planned hand-over, twice: ${lost} ms lost\n`);
    expect(lost).to.be.at.most(100);
  });

  it('are replaced by the agents themselves when one dies, on both sides', async () => {
    await allAnswer();
    const lost = await lostDuring(9, async () => {
      await lab.stop('east-n1', 'SIGKILL');
      await lab.script('east-n1', 'ip link set eth0 down');
    });
    process.stdout.write(`    crash of a gateway: ${lost} ms lost\n`);
    expect(lost).to.be.at.most(5_000);
    await eventually(() => expect(active('east-n2', 'east')).to.equal('n2'), { timeoutMs: 3_000 });
    expect(active('west-n1', 'east')).to.equal('n2');
    const entry = lab.status('west-n1').activeGateways?.find(({ clusterName }) => clusterName === 'east');
    expect(entry?.switchedTime).to.match(/^\d{4}-/);
  });

  it('stay as they are when the dead one comes back', async () => {
    await lab.script('east-n1', 'ip link set eth0 up; ip route add default via 172.18.255.254');
    await lab.script('east-n1', 'ip route replace 10.10.0.64/26 via 172.18.1.12');
    lab.startAgent('east-n1');
    await eventually(
      () => {
        const peer = lab.status('west-n1').peers?.find(({ name }) => name === 'east/n1');
        expect(peer?.reachable).to.equal(true);
      },
      { timeoutMs: 15_000 },
    );
    expect(active('west-n1', 'east')).to.equal('n2');
    const lost = await lostDuring(2, () => Promise.resolve());
    expect(lost).to.equal(0);
  });

  it('go on without a config to read, also after a restart: the last good one is kept', async () => {
    const lost = await lostDuring(5, async () => {
      for (const node of ['east-n2', 'west-n1']) {
        await lab.stop(node, 'SIGKILL');
        renameSync(join(lab.directory, `${node}.json`), join(lab.directory, `${node}.json.away`));
        lab.startAgent(node);
      }
    });
    expect(lost).to.be.at.most(5_000);
    await eventually(() => expect(lab.log('west-n1')).to.contain('using the config that was kept'), {
      timeoutMs: 5_000,
    });
    await lab.script('west-n1', 'ip route flush table 200');
    await eventually(
      async () => expect(await lab.script('west-n1', 'ip route show table 200')).to.contain('10.10.0.0/16'),
      {
        timeoutMs: 2_000,
      },
    );
  });

  it('cost little memory', async () => {
    const status = await lab.exec('west-n1', 'cat', `/proc/${lab.pid('west-n1')}/status`);
    const kilobytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
    const megabytes = (kilobytes * 1024) / 1e6;
    process.stdout.write(`    memory of an agent: ${megabytes.toFixed(1)} MB\n`);
    expect(megabytes).to.be.within(1, 80);
  });
});

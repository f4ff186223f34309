import { expect } from 'chai';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { loadLibc, type SocketLibc } from '../../../../src/clusterlink/agent/netlink/libc.js';
import {
  type FloaterAddress,
  probeIcmp,
  probeMtu,
  type ProbeTools,
  probeUdp,
} from '../../../../src/clusterlink/floater/datagram-probes.js';
import { Floater } from '../../../../src/clusterlink/floater/floater.js';
import type { ProbeReport } from '../../../../src/clusterlink/floater/plan.js';
import { runPlan } from '../../../../src/clusterlink/floater/run-plan.js';
import { probeTcp } from '../../../../src/clusterlink/floater/tcp-probe.js';
import { systemClock as clock, systemRandom as random } from '../../../../src/lib/clock.js';
import { silentLogger } from '../../../../src/lib/logger.js';

/** Of the loopback device in both families, on every Linux. */
const NOBODY = 1;

for (const ip of ['127.0.0.1', '::1']) {
  describe(`probes of a floater at ${ip}`, () => {
    let libc: SocketLibc;
    let tools: ProbeTools;
    let floater: Floater;
    let tcp: FloaterAddress;
    let udp: FloaterAddress;

    before(async () => {
      libc = await loadLibc();
      tools = { libc, clock, random, timeoutMs: 150 };
      const any = { httpPort: 0, tcpPort: 0, udpPort: 0 };
      floater = new Floater({ address: ip, ...any, nodeName: 'n1', logger: silentLogger });
      const ports = await floater.listen();
      tcp = { ip, port: ports.tcp };
      udp = { ip, port: ports.udp };
    });

    after(() => floater.close());

    it('get an answer to ICMP', async () => {
      const { ok, ms } = await probeIcmp(ip, { ...tools, timeoutMs: 1000 });
      expect(ok).to.equal(true);
      expect(ms).to.be.within(0, 1000);
    });

    it('get an answer by UDP, and know how many got lost', async () => {
      const outcome = await probeUdp(udp, { ...tools, timeoutMs: 1000 });
      expect(outcome).to.have.all.keys('ok', 'ms');
      expect(outcome.ok).to.equal(true);
    });

    it('send by TCP what does not fit into one packet', async () => {
      const outcome = await probeTcp(tcp, clock, 2000);
      expect(outcome.ok, outcome.error).to.equal(true);
    });

    it('find the largest packet', async () => {
      expect(await probeMtu(udp, 1500, tools)).to.deep.equal({ ok: true, bytes: 1500 });
      expect(await probeMtu(udp, 1_000_000, tools)).to.deep.equal({ ok: true, bytes: 9000 });
    });

    it('are refused where nobody listens', async () => {
      expect(await probeTcp({ ip, port: NOBODY }, clock, 500)).to.deep.equal({ ok: false, error: 'ECONNREFUSED' });
      expect(await probeUdp({ ip, port: NOBODY }, tools)).to.deep.equal({ ok: false, error: 'ECONNREFUSED' });
    });

    it('say what a plan asks for, and nothing else', async () => {
      const reports: ProbeReport[] = [];
      const port = udp.port;
      const runner = {
        ...{ libc, clock, random, mtu: 1500, resolvConf: '' },
        report: (report: ProbeReport) => void reports.push(report),
      };
      const targets = [
        { id: 'one', ip, probes: ['icmp', 'udp'] },
        { id: 'two', ip, probes: ['udp', 'mtu'] },
        { id: 'nothing', ip, probes: [] },
      ] as const;
      await runPlan({ port, timeoutMs: 1000, concurrency: 2, targets }, runner, new AbortController().signal);
      const told = new Map(reports.map(({ id, outcomes }) => [id, outcomes]));
      expect([...told.keys()].sort()).to.deep.equal(['nothing', 'one', 'two']);
      expect(told.get('one')).to.have.all.keys('icmp', 'udp');
      expect(told.get('two')?.mtu).to.deep.equal({ ok: true, bytes: 1500 });
      expect(told.get('nothing')).to.deep.equal({});
    });

    it('say nothing of sizes where UDP does not get through, since they are asked by UDP', async () => {
      const reports: ProbeReport[] = [];
      const runner = {
        ...{ libc, clock, random, mtu: 1500, resolvConf: '' },
        report: (one: ProbeReport) => void reports.push(one),
      };
      const targets = [{ id: 'one', ip, probes: ['udp', 'mtu'] }] as const;
      const plan = { port: NOBODY, timeoutMs: 100, concurrency: 1, targets };
      await runPlan(plan, runner, new AbortController().signal);
      expect(reports).to.deep.equal([{ id: 'one', outcomes: { udp: { ok: false, error: 'ECONNREFUSED' } } }]);
    });

    it('end when they are told to', async () => {
      const abort = new AbortController();
      const reports: ProbeReport[] = [];
      const runner = {
        ...{ libc, clock, random, mtu: 1500, resolvConf: '' },
        report: (report: ProbeReport) => {
          reports.push(report);
          abort.abort();
        },
      };
      const targets = ['one', 'two', 'three'].map((id) => ({ id, ip, probes: ['udp'] as const }));
      await runPlan({ port: udp.port, timeoutMs: 500, concurrency: 1, targets }, runner, abort.signal);
      expect(reports).to.have.lengthOf(1);
    });
  });
}

describe('probes of somebody who does not answer as a floater does', () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function serve(answer: (socket: Socket) => void): Promise<FloaterAddress> {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      answer(socket);
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { ip: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  it('notice a connection over which nothing comes back', async () => {
    const address = await serve((socket) => void socket.resume());
    expect(await probeTcp(address, clock, 100)).to.deep.equal({ ok: false, error: 'STALLED' });
  });

  it('notice one that ends too early', async () => {
    const address = await serve((socket) => socket.once('data', (chunk) => socket.end(chunk.subarray(0, 10))));
    expect(await probeTcp(address, clock, 1000)).to.deep.equal({ ok: false, error: 'STALLED' });
  });

  it('notice that something else comes back', async () => {
    const address = await serve((socket) => socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request')));
    expect(await probeTcp(address, clock, 1000)).to.deep.equal({ ok: false, error: 'GARBLED' });
  });

  async function withUdp(
    answers: (count: number) => boolean,
    action: (address: FloaterAddress) => Promise<void>,
  ): Promise<void> {
    const server = createSocket('udp4');
    let count = 0;
    server.on('message', (bytes, { port, address }) => {
      if (answers(++count)) server.send(bytes, port, address);
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await action({ ip: '127.0.0.1', port: server.address().port });
    } finally {
      server.close();
    }
  }

  it('count what gets lost by UDP', () =>
    withUdp(
      (count) => count !== 2 && count !== 4,
      async (address) => {
        const { ok, lost } = await probeUdp(address, { clock, random, timeoutMs: 100 });
        expect({ ok, lost }).to.deep.equal({ ok: true, lost: 2 });
      },
    ));

  it('give up after three questions without an answer', () => {
    let asked = 0;
    return withUdp(
      (count) => ((asked = count), false),
      async (address) => {
        const outcome = await probeUdp(address, { clock, random, timeoutMs: 50 });
        expect(outcome).to.deep.equal({ ok: false, error: 'TIMEOUT' });
        expect(asked).to.equal(3);
      },
    );
  });
});

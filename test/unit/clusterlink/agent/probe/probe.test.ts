import { expect } from 'chai';
import fc from 'fast-check';
import { decodeProbe, encodeProbe } from '../../../../../src/clusterlink/agent/probe/packet.js';
import { probePlan } from '../../../../../src/clusterlink/agent/probe/targets.js';
import { ProbeWindow } from '../../../../../src/clusterlink/agent/probe/window.js';
import { spec } from '../specs.js';

describe('probe packets', () => {
  it('are read as they were written', () => {
    const u32 = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(fc.constantFrom('question' as const, 'answer' as const), u32, u32, (kind, session, sequence) => {
        const packet = { kind, session, sequence };
        expect(decodeProbe(encodeProbe(packet))).to.deep.equal(packet);
      }),
    );
  });

  it('are told from anything else', () => {
    const bytes = encodeProbe({ kind: 'question', session: 1, sequence: 2 });
    const changed = (at: number): Buffer => Buffer.from(bytes.map((byte, index) => (index === at ? 9 : byte)));
    expect([changed(0), changed(4), changed(5), bytes.subarray(1), Buffer.alloc(0)].map(decodeProbe)).to.deep.equal(
      Array.from({ length: 5 }, () => undefined),
    );
  });
});

describe('ProbeWindow', () => {
  const window = (): ProbeWindow => new ProbeWindow({ timeoutMs: 500, deadAfter: 3 });

  it('knows nothing before the first answer, or enough silence', () => {
    const probes = window();
    expect(probes.alive(0)).to.equal(undefined);
    probes.sent(1, 0);
    probes.sent(2, 100);
    expect(probes.alive(1_000)).to.equal(undefined);
    probes.answered(1, 20);
    expect([probes.alive(1_000), probes.rttMs(1_000), probes.loss(1_000)]).to.deep.equal([true, 20, 0.5]);
  });

  it('takes a peer for dead after some lost probes in a row', () => {
    const probes = window();
    probes.sent(1, 0);
    probes.answered(1, 10);
    for (const sequence of [2, 3, 4]) probes.sent(sequence, sequence * 100);
    expect(probes.alive(899)).to.equal(true);
    expect(probes.alive(901)).to.equal(false);
    probes.sent(5, 1_000);
    probes.answered(5, 1_030);
    expect(probes.alive(1_040)).to.equal(true);
  });

  it('does not blame a peer for a time in which nothing was asked', () => {
    const probes = window();
    probes.sent(1, 0);
    probes.answered(1, 10);
    expect(probes.alive(3_600_000)).to.equal(true);
  });

  it('counts each probe once, and forgets old ones', () => {
    const probes = window();
    expect([probes.rttMs(0), probes.loss(0)]).to.deep.equal([undefined, 0]);
    for (let sequence = 1; sequence <= 50; sequence++) probes.sent(sequence, sequence);
    probes.answered(1, 60);
    expect(probes.rttMs(100)).to.equal(undefined);
    probes.answered(50, 60);
    probes.answered(50, 90);
    expect(probes.rttMs(100)).to.equal(10);
    expect(probes.loss(10_000)).to.equal(0.95);
  });
});

describe('probePlan', () => {
  const gateways = [
    {
      clusterName: 'west',
      candidates: [
        { nodeName: 'w1', gw: '220.18.2.21', dev: 'vx-bridge', gw6: '9470:0018::2:21', dev6: 'vx-bridge-6' },
        { nodeName: 'n1', self: true },
      ],
      cidrs: [],
    },
  ];

  it('asks from the address whose prefix has the target', () => {
    expect(probePlan({ ...spec, gateways })).to.deep.equal({
      problems: [],
      sources: ['220.18.1.11', '9470:18::1:11'],
      targets: [
        { name: 'west/w1', ip: '220.18.2.21', source: '220.18.1.11', gateway: true },
        { name: 'west/w1', ip: '9470:18::2:21', source: '9470:18::1:11', gateway: true },
      ],
    });
  });

  it('asks everybody once, nobody whom no device leads to, and never the node itself', () => {
    const peers = [
      { clusterName: 'west', nodeName: 'w1', ip: '220.18.2.21' },
      { clusterName: 'west', nodeName: 'w2', ip: '220.18.2.22' },
      { clusterName: 'west', nodeName: 'w3', ip: '210.0.0.1', ip6: 'fd00::1' },
      { clusterName: 'east', nodeName: 'n1', ip: '220.18.1.11' },
    ];
    const { targets } = probePlan({ ...spec, gateways, peers });
    expect(targets.map(({ ip, gateway }) => [ip, gateway])).to.deep.equal([
      ['220.18.2.21', true],
      ['9470:18::2:21', true],
      ['220.18.2.22', false],
    ]);
  });
});

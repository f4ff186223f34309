import { expect } from 'chai';
import fc from 'fast-check';
import type {
  NodeConfig,
  NodeConfigPeerStatus,
  NodeConfigStatus,
} from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { desiredStatus, differs, type Report } from '../../../../src/clusterlink/agent/status.js';
import { StatusPublisher } from '../../../../src/clusterlink/agent/status-publisher.js';
import { silentLogger } from '../../../../src/lib/logger.js';
import { FakeClock } from '../../../support/fake-clock.js';

const config: NodeConfig = { metadata: { name: 'east-n1', uid: 'u1', generation: 1 }, spec: {} };
const peer: NodeConfigPeerStatus = { name: 'west/w1', ip: '220.0.0.1', reachable: true, loss: 0, rttMs: 1 };

function report(change: Partial<Report> = {}): Report {
  return {
    ...{ appliedGeneration: 1, lastChangeTime: undefined, detected: { interfaceName: 'eth0' }, planned: true },
    ...{ lastSyncTime: '2026-01-01T00:00:00.000Z', driftRepaired: 0, errors: [], peers: [], activeGateways: [] },
    ...change,
  };
}

describe('publishing a status', () => {
  let clock: FakeClock;
  let written: NodeConfigStatus[];
  let attempts: number;
  let write: () => Promise<void>;
  let warnings: string[];
  let publisher: StatusPublisher;
  let abort: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    clock = new FakeClock();
    [written, attempts, warnings] = [[], 0, []];
    write = () => Promise.resolve();
    publisher = new StatusPublisher({
      writer: {
        write: async (_config, status) => {
          attempts++;
          await write();
          written.push(status);
        },
      },
      clock,
      logger: { ...silentLogger, warn: (_message, fields) => void warnings.push(String(fields?.['error'])) },
    });
    abort = new AbortController();
    running = publisher.run(abort.signal);
    await clock.advance(0);
  });

  afterEach(async () => {
    abort.abort();
    await running;
    expect(clock.pendingTimers).to.equal(0);
  });

  it('writes nothing when there is nothing to say', async () => {
    await clock.advance(60_000);
    expect(attempts).to.equal(0);
  });

  it('writes at most once a second, however fast things change', async () => {
    for (let change = 0; change < 100; change++) {
      publisher.publish(config, report({ driftRepaired: change }));
      await clock.advance(100);
    }
    expect(attempts).to.be.within(9, 11);
    expect(written.at(-1)?.driftRepaired).to.be.at.least(89);
  });

  it('tries once a second while the API server is away, and says then what is true by then', async () => {
    write = () => Promise.reject(new Error('away'));
    publisher.publish(config, report({ driftRepaired: 1 }));
    await clock.advance(10_000);
    expect(attempts).to.be.within(9, 11);
    expect(new Set(warnings)).to.deep.equal(new Set(['away']));
    write = () => Promise.resolve();
    publisher.publish(config, report({ driftRepaired: 2 }));
    await clock.advance(2_000);
    expect(written.map(({ driftRepaired }) => driftRepaired)).to.deep.equal([2]);
  });

  it('does not put an old status in the place of a newer one that came meanwhile', async () => {
    let fail: (error: Error) => void = () => undefined;
    write = () => new Promise((_resolve, reject) => (fail = reject));
    publisher.publish(config, report({ driftRepaired: 1 }));
    await clock.advance(1_000);
    publisher.publish(config, report({ driftRepaired: 2 }));
    write = () => Promise.resolve();
    fail(new Error('away'));
    await clock.advance(3_000);
    expect(written.map(({ driftRepaired }) => driftRepaired)).to.deep.equal([2]);
  });

  it('says nothing of a write that was ended with it', async () => {
    write = () =>
      new Promise((_resolve, reject) => abort.signal.addEventListener('abort', () => reject(new Error('aborted'))));
    publisher.publish(config, report());
    await clock.advance(1_000);
    abort.abort();
    await running;
    expect(warnings).to.deep.equal([]);
  });

  it('keeps the time of a condition that an earlier process has written', async () => {
    const before = desiredStatus(report({ lastSyncTime: '2025-01-01T00:00:00.000Z' }), undefined);
    publisher.publish({ ...config, status: before }, report());
    await clock.advance(1_000);
    expect(written[0]?.conditions?.[0]?.lastTransitionTime).to.equal('2025-01-01T00:00:00.000Z');
  });

  it('writes when a peer is lost, but not for each step of its loss', async () => {
    publisher.publish(config, report({ peers: [peer] }));
    await clock.advance(1_000);
    for (const loss of [0.01, 0.02, 0.05, 0.09]) {
      publisher.publish(config, report({ peers: [{ ...peer, loss }] }));
      await clock.advance(1_000);
    }
    expect(written).to.have.length(1);
    publisher.publish(config, report({ peers: [{ ...peer, reachable: false }] }));
    await clock.advance(1_000);
    expect(written).to.have.length(2);
  });
});

describe('whether a status says something new', () => {
  const status = (change: Partial<Report> = {}): NodeConfigStatus => desiredStatus(report(change), undefined);
  const rtt = (one: number | undefined, other: number | undefined): boolean =>
    differs(status({ peers: [{ ...peer, rttMs: one }] }), status({ peers: [{ ...peer, rttMs: other }] }));

  const times: readonly (readonly [number | undefined, number | undefined, boolean])[] = [
    [0.2, 0.9, false],
    [0.2, 1.3, true],
    [100, 120, false],
    [100, 151, true],
    [151, 100, true],
    [0, 0.5, false],
    [undefined, 1, true],
    [1, undefined, true],
    [undefined, undefined, false],
  ];
  for (const [one, other, expected] of times) {
    it(`is ${expected ? 'so' : 'not so'} for round trips of ${one} and then ${other} ms`, () => {
      expect(rtt(one, other)).to.equal(expected);
    });
  }

  const changes: readonly (readonly [string, Partial<Report>])[] = [
    ['another generation', { appliedGeneration: 2 }],
    ['another interface', { detected: { interfaceName: 'eth1' } }],
    ['another address', { detected: { interfaceName: 'eth0', ip: '10.0.0.1' } }],
    ['an error', { errors: ['EPERM'] }],
    ['a change of the network', { lastChangeTime: '2026-01-01T00:00:00.000Z' }],
    ['another gateway', { activeGateways: [{ clusterName: 'west', nodeName: 'w2' }] }],
    ['another peer', { peers: [peer] }],
    ['no plan', { planned: false }],
  ];
  for (const [what, change] of changes) {
    it(`is so for ${what}`, () => {
      expect(differs(status(), status(change))).to.equal(true);
      expect(differs(status(change), status(change))).to.equal(false);
    });
  }

  it('is so for the same peers in another order', () => {
    const other = { ...peer, name: 'west/w2', ip: '220.0.0.2' };
    expect(differs(status({ peers: [peer, other] }), status({ peers: [other, peer] }))).to.equal(true);
  });

  it('is the same question in both directions', () => {
    const some = fc.record({
      loss: fc.double({ min: 0, max: 1, noNaN: true }),
      rttMs: fc.double({ min: 0, max: 500, noNaN: true }),
    });
    fc.assert(
      fc.property(some, some, (one, other) => {
        const [left, right] = [status({ peers: [{ ...peer, ...one }] }), status({ peers: [{ ...peer, ...other }] })];
        expect(differs(left, right)).to.equal(differs(right, left));
        expect(differs(left, left)).to.equal(false);
      }),
    );
  });
});

import { expect } from 'chai';
import { desiredStatus, differs, type Report } from '../../../../src/clusterlink/agent/status.js';

const report: Report = {
  appliedGeneration: 3,
  lastChangeTime: '2026-01-01T00:00:00.000Z',
  lastSyncTime: '2026-01-01T00:01:00.000Z',
  detected: { interfaceName: 'eth0', ip: '172.18.1.11', mtu: 1500 },
  planned: true,
  driftRepaired: 2,
  errors: [],
  peers: [{ name: 'west/n1', ip: '220.18.2.21', reachable: true, rttMs: 0.4, loss: 0 }],
  activeGateways: [],
};

function readiness(change: Partial<Report>): string {
  const [condition] = desiredStatus({ ...report, ...change }, undefined).conditions ?? [];
  return `${condition?.status} ${condition?.reason}: ${condition?.message}`;
}

describe('desiredStatus', () => {
  it('says what was applied, found and put right', () => {
    expect(desiredStatus(report, undefined)).to.deep.include({
      observedGeneration: 3,
      detected: report.detected,
      driftRepaired: 2,
      peers: report.peers,
    });
  });

  it('has a condition for each case', () => {
    expect(readiness({})).to.equal('True Applied: the network is as the config says');
    expect(readiness({ planned: false })).to.equal('False NotPlanned: the config has no devices yet');
    expect(readiness({ errors: ['EPERM'] })).to.equal('False Incomplete: EPERM');
    expect(readiness({ detected: undefined, errors: ['no route'] })).to.equal('False NotDetected: no route');
  });

  it("keeps the condition's time as long as it says the same", () => {
    const before = desiredStatus(report, undefined);
    const later = { ...report, lastSyncTime: '2026-01-01T00:02:00.000Z' };
    expect(desiredStatus(later, before).conditions?.[0]?.lastTransitionTime).to.equal(report.lastSyncTime);
    const broken = desiredStatus({ ...later, errors: ['x'] }, before);
    expect(broken.conditions?.[0]?.lastTransitionTime).to.equal(later.lastSyncTime);
  });

  it('leaves out what it does not know', () => {
    const status = desiredStatus(
      { ...report, appliedGeneration: undefined, lastChangeTime: undefined, detected: undefined },
      undefined,
    );
    expect(status).to.not.have.any.keys('observedGeneration', 'lastChangeTime', 'detected');
  });

  it('stays small whatever goes wrong', () => {
    const errors = Array.from({ length: 1000 }, () => 'x'.repeat(1000));
    const status = desiredStatus({ ...report, errors }, undefined);
    expect(status.errors).to.have.length(21);
    expect(status.errors?.at(-1)).to.equal('and 980 more');
    expect(JSON.stringify(status).length).to.be.lessThan(10_000);
  });
});

describe('differs', () => {
  const status = desiredStatus(report, undefined);
  const peer = report.peers[0]!;
  const withPeer = (change: object): boolean => differs(status, { ...status, peers: [{ ...peer, ...change }] });

  it('is true for the first one, and for anything new', () => {
    expect(differs(undefined, status)).to.equal(true);
    expect(differs(status, { ...status, driftRepaired: 3 })).to.equal(true);
    expect(withPeer({ reachable: false })).to.equal(true);
    expect(differs(status, { ...status, peers: [] })).to.equal(true);
  });

  it('is not for time that has passed, nor for noise', () => {
    expect(differs(status, { ...status, lastSyncTime: 'later' })).to.equal(false);
    expect([withPeer({ rttMs: 0.9 }), withPeer({ loss: 0.05 })]).to.deep.equal([false, false]);
  });

  it('is for changes of time and loss that count', () => {
    expect([withPeer({ rttMs: 3 }), withPeer({ rttMs: undefined }), withPeer({ loss: 0.3 })]).to.deep.equal([
      true,
      true,
      true,
    ]);
  });
});

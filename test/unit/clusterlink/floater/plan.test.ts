import { expect } from 'chai';
import { decodePlan, decodeReport, encodeReport, type ProbePlan } from '../../../../src/clusterlink/floater/plan.js';

const PLAN: ProbePlan = {
  ...{ port: 8889, timeoutMs: 1000, concurrency: 4 },
  targets: [
    { id: 'a', ip: '10.0.0.1', probes: ['icmp', 'mtu'] },
    { id: 'b', name: 'kubernetes.default.svc', probes: ['dns'] },
  ],
};

describe('a plan of probes', () => {
  it('comes out as it went in', () => {
    expect(decodePlan(JSON.stringify(PLAN))).to.deep.equal(PLAN);
  });

  const mistakes: readonly (readonly [what: string, plan: unknown, message: string])[] = [
    ['no port', { ...PLAN, port: undefined }, 'the plan has no valid port'],
    ['half a second of concurrency', { ...PLAN, concurrency: 0.5 }, 'the plan has no valid concurrency'],
    ['no time to wait', { ...PLAN, timeoutMs: 0 }, 'the plan has no valid timeoutMs'],
    ['no targets', { ...PLAN, targets: undefined }, 'the plan has no targets'],
    ['a target that is nowhere', { ...PLAN, targets: [{ id: 'a', probes: ['icmp'] }] }, 'target 0 of the plan'],
    ['a target without a name for it', { ...PLAN, targets: [PLAN.targets[0], { ip: '::1', probes: [] }] }, 'target 1'],
    ['a probe that there is not', { ...PLAN, targets: [{ id: 'a', ip: '::1', probes: ['sctp'] }] }, 'target 0'],
  ];
  for (const [what, plan, message] of mistakes) {
    it(`is refused with ${what}`, () => {
      expect(() => decodePlan(JSON.stringify(plan))).to.throw(message);
    });
  }

  it('is refused when it is no JSON', () => {
    expect(() => decodePlan('{"port":')).to.throw(SyntaxError);
  });
});

describe('a report of a probe', () => {
  const report = { id: 'a > b', outcomes: { udp: { ok: true, ms: 0.31, lost: 1 } } };

  it('is one line', () => {
    const line = encodeReport(report);
    expect(line.indexOf('\n')).to.equal(line.length - 1);
    expect(decodeReport(line.trimEnd())).to.deep.equal(report);
  });

  it('is none before all of it was written', () => {
    const line = encodeReport(report).trimEnd();
    for (let length = 0; length < line.length; length++)
      expect(decodeReport(line.slice(0, length))).to.equal(undefined);
  });

  it('is told from other lines of a log', () => {
    for (const line of ['', 'some words', '{"level":"info","msg":"stopping"}', '{"id":"a"}', '{"id":3,"outcomes":{}}'])
      expect(decodeReport(line)).to.equal(undefined);
  });
});

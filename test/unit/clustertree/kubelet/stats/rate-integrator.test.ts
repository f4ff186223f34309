import { expect } from 'chai';
import fc from 'fast-check';
import { RateIntegrator } from '../../../../../src/clustertree/kubelet/stats/rate-integrator.js';

const at = (seconds: number, cores: number, windowSeconds = 15): Parameters<RateIntegrator['add']>[1] => ({
  ...{ cores, timestampMs: seconds * 1000 },
  windowMs: windowSeconds * 1000,
});

describe('RateIntegrator', () => {
  let integrator: RateIntegrator;

  beforeEach(() => {
    integrator = new RateIntegrator();
  });

  it('starts with what the first window holds', () => {
    expect(integrator.add('a', at(100, 0.5))).to.deep.equal({ seconds: 7.5, timestampMs: 100_000 });
  });

  it('counts nothing from before the start', () => {
    expect(integrator.add('a', at(100, 0.5), 96_000).seconds).to.equal(2);
  });

  it('is never 0, since what runs has used something', () => {
    expect(integrator.add('idle', at(100, 0)).seconds).to.equal(0.001);
    expect(integrator.add('idle', at(115, 0)).seconds).to.equal(0.001);
  });

  it('adds the rate over the time since the last reading', () => {
    integrator.add('a', at(100, 1));
    expect(integrator.add('a', at(115, 2)).seconds).to.equal(15 + 30);
  });

  it('takes the latest rate for a time without readings', () => {
    integrator.add('a', at(100, 1));
    expect(integrator.add('a', at(220, 0.1)).seconds).to.be.closeTo(15 + 12, 1e-9);
  });

  it('stays where it is when the same or an older reading comes again', () => {
    const first = integrator.add('a', at(100, 1));
    expect(integrator.add('a', at(100, 9))).to.deep.equal(first);
    expect(integrator.add('a', at(85, 9))).to.deep.equal(first);
  });

  it('keeps what has different keys apart', () => {
    integrator.add('a', at(100, 1));
    expect(integrator.add('b', at(115, 1)).seconds).to.equal(15);
  });

  it('starts anew after it was told to forget', () => {
    integrator.add('a', at(100, 1));
    integrator.add('b', at(100, 1));
    integrator.retain((key) => key === 'b');
    expect(integrator.add('a', at(200, 1)).seconds).to.equal(15);
    expect(integrator.add('b', at(200, 1)).seconds).to.equal(115);
  });

  it('gives back the reported rate to whoever divides growth by time', () => {
    const step = fc.record({
      seconds: fc.integer({ min: 1, max: 600 }),
      millicores: fc.integer({ min: 0, max: 9_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        const fresh = new RateIntegrator();
        let last = fresh.add('a', at(1_000, 0.2));
        let now = 1_000;
        for (const { seconds, millicores } of steps) {
          now += seconds;
          const next = fresh.add('a', at(now, millicores / 1000));
          const rate = (next.seconds - last.seconds) / ((next.timestampMs - last.timestampMs) / 1000);
          expect(rate).to.be.closeTo(millicores / 1000, 1e-6);
          last = next;
        }
      }),
    );
  });
});

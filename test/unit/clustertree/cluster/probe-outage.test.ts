import { expect } from 'chai';
import { Probe, type ProbeResult } from '../../../../src/clustertree/cluster/probe.js';
import { FakeClock } from '../../../support/fake-clock.js';

/** A member that answers or doesn't, and probes of it. */
class Harness {
  readonly clock = new FakeClock();
  readonly results: boolean[] = [];
  readonly at: number[] = [];
  readonly log: string[] = [];
  readonly stop = new AbortController();
  readonly probe: Probe;
  answer: () => Promise<string> = () => Promise.resolve('{"gitVersion":"v1.36.3"}');
  calls = 0;
  #running: Promise<void> = Promise.resolve();

  constructor() {
    const getPath = (): Promise<string> => {
      this.calls += 1;
      return this.answer();
    };
    this.probe = new Probe({ client: { getPath }, clock: this.clock, random: () => 0.5 });
    this.probe.onResult(({ reachable }: ProbeResult) => {
      this.results.push(reachable);
      this.at.push(this.clock.monotonic());
      this.log.push('result');
    });
    this.probe.onReturn(() => this.log.push('return'));
  }

  async start(): Promise<void> {
    this.#running = this.probe.run(this.stop.signal);
    await this.clock.advance(0);
  }

  goAway(): void {
    this.answer = () => Promise.reject(new Error('connection refused'));
  }

  comeBack(): void {
    this.answer = () => Promise.resolve('{"gitVersion":"v1.36.3"}');
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.#running;
  }
}

describe('Probe in an outage', () => {
  let h: Harness;

  beforeEach(() => {
    h = new Harness();
  });

  afterEach(() => h.end());

  it('asks every ten seconds while the member answers', async () => {
    await h.start();
    await h.clock.advance(25_000);
    expect([h.results, h.at]).to.deep.equal([
      [true, true, true],
      [0, 10_000, 20_000],
    ]);
    expect(h.probe.result).to.deep.equal({ reachable: true, version: 'v1.36.3' });
  });

  it('calls a member away only after a second failure', async () => {
    await h.start();
    h.goAway();
    await h.clock.advance(10_500);
    expect(h.probe.reachable).to.equal(true);
    await h.clock.advance(500);
    expect(h.probe.reachable).to.equal(false);
    expect(h.probe.result).to.deep.include({ reason: 'ConnectionFailed', version: 'v1.36.3' });
  });

  it('takes one failure for nothing', async () => {
    await h.start();
    h.goAway();
    await h.clock.advance(10_000);
    h.comeBack();
    await h.clock.advance(1_000);
    expect([h.results, h.log]).to.deep.equal([
      [true, true],
      ['result', 'result'],
    ]);
  });

  it('asks every two seconds while there is no answer, and tells of the return before the result', async () => {
    await h.start();
    h.goAway();
    await h.clock.advance(15_000);
    expect(h.at).to.deep.equal([0, 11_000, 12_000, 14_000]);
    h.comeBack();
    await h.clock.advance(2_000);
    expect(h.log).to.deep.equal(['result', 'result', 'result', 'result', 'return', 'result']);
    h.log.length = 0;
    await h.clock.advance(10_000);
    expect(h.log).to.deep.equal(['result']);
  });

  it('does not call the first answer a return', async () => {
    await h.start();
    expect(h.log).to.deep.equal(['result']);
  });

  it('looks at once when something hints at an outage', async () => {
    await h.start();
    h.goAway();
    h.probe.check();
    await h.clock.advance(1_000);
    expect([h.results, h.at]).to.deep.equal([
      [true, false],
      [0, 1_000],
    ]);
  });

  it('looks again when the hint comes while it is looking', async () => {
    await h.start();
    let answered = (): void => undefined;
    h.answer = () => new Promise((resolve) => (answered = () => resolve('')));
    await h.clock.advance(10_000);
    h.probe.check();
    h.goAway();
    answered();
    await h.clock.advance(1_000);
    expect(h.results).to.deep.equal([true, true, false]);
  });

  it('needs no hint while there is no answer anyway', async () => {
    h.goAway();
    await h.start();
    const { calls } = h;
    for (let i = 0; i < 5; i += 1) h.probe.check();
    await h.clock.advance(1_000);
    expect(h.calls).to.equal(calls);
  });

  it('leaves listeners that were removed in peace, and stops when it is told', async () => {
    const remove = h.probe.onReturn(() => h.log.push('removed'));
    remove();
    h.goAway();
    await h.start();
    h.comeBack();
    await h.clock.advance(2_000);
    expect(h.log).to.deep.equal(['result', 'return', 'result']);
    await h.end();
    await h.clock.advance(60_000);
    expect([h.results.length, h.clock.pendingTimers]).to.deep.equal([2, 0]);
  });
});

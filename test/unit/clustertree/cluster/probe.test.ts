import { expect } from 'chai';
import { Probe, type ProbeResult } from '../../../../src/clustertree/cluster/probe.js';
import type { RecordedCall } from '../../../support/fake-kube-client.js';
import { apiError, MemberHarness } from '../../../support/member-harness.js';

describe('Probe', () => {
  let harness: MemberHarness;
  let probe: Probe;
  let results: ProbeResult[];

  beforeEach(() => {
    harness = new MemberHarness();
    harness.client.paths.set('/version', '{"gitVersion":"v1.36.3"}');
    const { client, clock } = harness;
    probe = new Probe({ client, clock, random: () => 0.5 });
    results = [];
    probe.onResult((result) => results.push(result));
  });

  afterEach(() => harness.end());

  function run(): Promise<void> {
    const running = probe.run(harness.signal);
    harness.track(running);
    return harness.clock.advance(0);
  }

  function callsOf(path: string): readonly RecordedCall[] {
    return harness.client.calls.filter(({ resource }) => resource === path);
  }

  function failReadyz(times: number): void {
    let left = times;
    harness.client.intercept = ({ resource }) => {
      if (resource === '/readyz' && left-- > 0) throw apiError(500, '', 'etcd failed');
    };
  }

  it('knows nothing before the first answer', () => {
    expect([probe.result, probe.reachable]).to.deep.equal([undefined, false]);
  });

  it('tells that the member answers, and its version', async () => {
    await run();
    expect(results).to.deep.equal([{ reachable: true, version: 'v1.36.3' }]);
    expect([probe.result, probe.reachable]).to.deep.equal([results[0], true]);
  });

  it('asks every ten seconds', async () => {
    await run();
    await harness.clock.advance(30_000);
    expect(callsOf('/readyz')).to.have.length(4);
  });

  it('spreads probes by up to five percent', async () => {
    const { client, clock, signal } = harness;
    const early = new Probe({ client, clock, random: () => 0 });
    harness.track(early.run(signal));
    await clock.advance(9_499);
    expect(callsOf('/readyz')).to.have.length(1);
    await clock.advance(1);
    expect(callsOf('/readyz')).to.have.length(2);
  });

  it('counts the time of the probe itself', async () => {
    harness.client.intercept = ({ resource }) =>
      resource === '/readyz' ? harness.clock.sleep(4_000, harness.signal) : undefined;
    await run();
    await harness.clock.advance(9_999);
    expect(callsOf('/readyz')).to.have.length(1);
    await harness.clock.advance(1);
    expect(callsOf('/readyz')).to.have.length(2);
  });

  it('gives each call a deadline', async () => {
    await run();
    expect(callsOf('/readyz')[0]?.options).to.include({ timeoutMs: 5_000 });
  });

  it('reads the version once a minute', async () => {
    await run();
    await harness.clock.advance(50_000);
    expect(callsOf('/version')).to.have.length(1);
    harness.client.paths.set('/version', '{"gitVersion":"v1.37.0"}');
    await harness.clock.advance(10_000);
    expect(probe.result?.version).to.equal('v1.37.0');
  });

  it('takes a member that does not tell its version for reachable', async () => {
    harness.client.paths.delete('/version');
    await run();
    expect(probe.result).to.deep.equal({ reachable: true, version: undefined });
  });

  it('takes a version that is not JSON for unknown', async () => {
    harness.client.paths.set('/version', '<html>');
    await run();
    expect(probe.result).to.deep.equal({ reachable: true, version: undefined });
  });

  it('reports a first failure at once', async () => {
    failReadyz(1);
    await run();
    expect(results).to.deep.equal([
      { reachable: false, version: undefined, reason: 'MemberNotReady', message: 'etcd failed' },
    ]);
  });

  it('looks again after a second before it takes a reachable member for lost', async () => {
    await run();
    failReadyz(1);
    await harness.clock.advance(11_000);
    expect(results.map(({ reachable }) => reachable)).to.deep.equal([true, true]);
  });

  it('takes a member for lost that fails twice, and keeps its version', async () => {
    await run();
    failReadyz(2);
    await harness.clock.advance(11_000);
    expect(probe.result).to.deep.include({ reachable: false, version: 'v1.36.3' });
  });

  it('sees a lost member return', async () => {
    failReadyz(1);
    await run();
    await harness.clock.advance(10_000);
    expect(results.map(({ reachable }) => reachable)).to.deep.equal([false, true]);
  });

  it('tells nobody who has stopped to listen', async () => {
    const heard: ProbeResult[] = [];
    probe.onResult((result) => heard.push(result))();
    await run();
    expect(heard).to.be.empty;
  });

  it('publishes nothing of a probe that was given up', async () => {
    harness.client.intercept = () => harness.clock.sleep(1_000, harness.signal);
    await run();
    harness.stop.abort(new Error('closed'));
    await harness.settle();
    expect(results).to.be.empty;
  });
});

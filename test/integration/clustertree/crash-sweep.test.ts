import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { CrashRig, kindOf, nameOf, type CrashPoint } from '../../support/crash-rig.js';
import { cleaned, membershipScript, podScript, restartScript, type CrashScript } from '../../support/crash-scripts.js';
import { eventually } from '../../support/eventually.js';
import { isReady } from '../../support/federation.js';
import { deployments } from '../../support/resources.js';
import { deployment } from '../../support/workloads.js';

/** A call that happens by chance, such as the repetition of an Event, may be missing in a run. */
const ATTEMPTS = 3;
const SLOW = { timeoutMs: 180_000 };

/** Writes that the scripts are made to cause. A recording without one of them would sweep nothing. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'host POST nodes',
    'host PATCH nodes/status',
    'host POST events',
    'host PATCH pods/status',
    'host DELETE pods',
    'host POST leases of kube-node-lease',
    'member POST namespaces',
    'member POST serviceaccounts',
    'member POST pods',
    'member PATCH pods',
    'member PATCH pods/ephemeralcontainers',
    'member PATCH namespaces',
    'member DELETE pods',
    'member DELETE namespaces',
  ],
  membership: ['host PATCH clusters', 'host PATCH clusters/status', 'host PATCH nodes', 'host DELETE nodes'],
};

describe('a manager that is killed', () => {
  let rig: CrashRig;
  const swept = new Set<string>();
  let runs = 0;

  before(async () => {
    rig = await CrashRig.start({ instance: 'it-crash', members: 2, nodes: 1 });
  });

  after(async () => {
    (await import('node:fs')).copyFileSync(rig.federation.manager.logFile, '/tmp/crash-manager.log');
    await rig.close();
  });

  function runScript(script: CrashScript): Promise<void> {
    runs += 1;
    return script.run(rig, `${script.name}-${runs}`);
  }

  /** Points of all kinds of calls that a restart and an undisturbed run of the script cause. */
  async function record(script: CrashScript): Promise<CrashPoint[]> {
    rig.arm([]);
    rig.forget();
    await runScript(script);
    await cleaned(rig);
    const kinds = new Set(rig.calls.map(kindOf));
    expect([...kinds]).to.include.members([...(EXPECTED[script.name] ?? [])]);
    const points = [...kinds].flatMap((kind) => [
      { kind, phase: 'before' as const },
      { kind, phase: 'after' as const },
    ]);
    return points.filter((point) => !swept.has(nameOf(point)));
  }

  async function sweep(script: CrashScript): Promise<void> {
    const points = await record(script);
    const attempts = new Map<string, number>();
    while (points.length > 0) {
      const armed = points.splice(0, script.kills);
      rig.arm(armed);
      try {
        await runScript(script);
        if (points.length === 0) await cleaned(rig);
      } catch (error) {
        throw new Error(`killed ${rig.fired.map(nameOf).join(', then ')}`, { cause: error });
      }
      await rig.disarm();
      if (process.env['CRASH_DEBUG'])
        process.stderr.write(
          `${runs} ${Math.round(performance.now() / 1000)} s fired ${rig.fired.map(nameOf).join(', ')} of ${armed.map(nameOf).join(', ')}\n`,
        );
      for (const point of rig.fired) swept.add(nameOf(point));
      const missed = armed.filter((point) => !rig.fired.includes(point));
      for (const point of missed) attempts.set(nameOf(point), (attempts.get(nameOf(point)) ?? 0) + 1);
      points.push(...missed.filter((point) => (attempts.get(nameOf(point)) ?? 0) < ATTEMPTS));
    }
    await cleaned(rig);
    const expected = (EXPECTED[script.name] ?? []).flatMap((kind) => [`before ${kind}`, `after ${kind}`]);
    expect([...swept]).to.include.members(expected);
  }

  it('before and after any kind of call of its start, starts again and changes nothing', async function () {
    this.timeout(600_000);
    await sweep(restartScript);
  });

  it('before and after any kind of call, goes on where it was: no pod runs twice, nothing is left or lost', async function () {
    this.timeout(900_000);
    await sweep(podScript);
    expect(rig.history.size).to.be.greaterThan(runs * 4);
  });

  it('before and after any kind of call while a member leaves and comes back, brings both to their end', async function () {
    this.timeout(600_000);
    await sweep(membershipScript);
  });

  it('with 1,000 healthy pods, or ended in good order, writes nothing about them when it starts again', async function () {
    this.timeout(300_000);
    const { federation } = rig;
    const web = { namespace: await federation.namespace('thousand'), name: 'web' };
    await federation.host.create(deployments, deployment({ ...web, replicas: 1_000 }));
    await eventually(async () => expect(await allReady(web.namespace)).to.equal(1_000), { ...SLOW, intervalMs: 1_000 });
    await sleep(3_000);
    rig.arm([]);
    rig.forget();
    await rig.crash();
    await rig.settled();
    federation.manager.kill('SIGTERM');
    await federation.manager.wait();
    await federation.startManager();
    await rig.settled();
    await sleep(3_000);
    expect(rig.calls.filter(({ resource }) => resource === 'pods').map(kindOf)).to.include('member LIST pods');
    const touched = rig.writes.filter(({ resource }) => /^(pods|events|namespaces)/.test(resource));
    expect(touched.filter(({ name, resource }) => name !== undefined || resource === 'pods')).to.deep.equal([]);
    await federation.host.delete(deployments, web, { propagationPolicy: 'Background' });
    await eventually(async () => expect(await federation.pods('host', web.namespace)).to.have.length(0), SLOW);
  });

  async function allReady(namespace: string): Promise<number> {
    return (await rig.federation.pods('host', namespace)).filter(isReady).length;
  }
});

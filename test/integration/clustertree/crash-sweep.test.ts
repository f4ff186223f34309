import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { CrashRig, kindOf } from '../../support/crash-rig.js';
import { membershipScript, podScript } from '../../support/crash-scripts.js';
import { CrashSweep, isWrite } from '../../support/crash-sweep.js';
import { eventually } from '../../support/eventually.js';
import { isReady } from '../../support/federation.js';
import { deployments } from '../../support/resources.js';
import { deployment } from '../../support/workloads.js';

const SLOW = { timeoutMs: 180_000 };

// Reads are swept in test/soak.
describe('a manager that is killed', () => {
  let rig: CrashRig;
  let crashes: CrashSweep;

  before(async () => {
    rig = await CrashRig.start({ instance: 'it-crash', members: 2, nodes: 1 });
    crashes = new CrashSweep(rig, isWrite);
  });

  after(async () => {
    await rig.close();
  });

  it('before and after any kind of write, goes on where it was: no pod runs twice, nothing is left or lost', async function () {
    this.timeout(900_000);
    await crashes.sweep(podScript);
    expect(rig.history.size).to.be.greaterThan(crashes.runs);
  });

  it('before and after any kind of write while a member leaves and comes back, brings both to their end', async function () {
    this.timeout(600_000);
    await crashes.sweep(membershipScript);
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

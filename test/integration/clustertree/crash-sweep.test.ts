import { expect } from 'chai';
import { CrashRig } from '../../support/crash-rig.js';
import { membershipScript, podScript } from '../../support/crash-scripts.js';
import { CrashSweep, isWrite } from '../../support/crash-sweep.js';
import { restartWithHealthyPods } from '../../support/healthy-restart.js';

// Reads are swept in test/soak, and there are more healthy pods there.
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

  it('with 200 healthy pods, or ended in good order, writes nothing about them when it starts again', async function () {
    this.timeout(300_000);
    await restartWithHealthyPods(rig, 200);
  });
});

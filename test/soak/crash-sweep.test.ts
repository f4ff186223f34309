import { expect } from 'chai';
import { CrashRig } from '../support/crash-rig.js';
import { membershipScript, podScript, restartScript } from '../support/crash-scripts.js';
import { CrashSweep } from '../support/crash-sweep.js';
import { restartWithHealthyPods } from '../support/healthy-restart.js';

describe('a manager that is killed before and after any kind of call, reads included', function () {
  this.timeout(1_800_000);
  let rig: CrashRig;
  let crashes: CrashSweep;

  before(async () => {
    rig = await CrashRig.start({ instance: 'soak-crash', members: 2, nodes: 1 });
    crashes = new CrashSweep(rig, () => true);
  });

  after(async () => {
    await rig.close();
  });

  it('of its start, starts again and changes nothing', () => crashes.sweep(restartScript));

  it('goes on where it was: no pod runs twice, nothing is left or lost', async () => {
    await crashes.sweep(podScript);
    expect(rig.history.size).to.be.greaterThan(crashes.runs);
  });

  it('while a member leaves and comes back, brings both to their end', () => crashes.sweep(membershipScript));

  it('with 1,000 healthy pods, or ended in good order, writes nothing about them when it starts again', () =>
    restartWithHealthyPods(rig, 1_000));
});

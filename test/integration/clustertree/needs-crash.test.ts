import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrashRig } from '../../support/crash-rig.js';
import { CrashSweep, isWrite } from '../../support/crash-sweep.js';
import { needsScript, prepareNeeds } from '../../support/needs-crash-script.js';
import { PathProvisioner } from '../../support/path-provisioner.js';

describe('a manager that is killed before and after any kind of write of what pods need', () => {
  let rig: CrashRig;
  let provisioner: PathProvisioner;
  let folder: string;

  before(async () => {
    const manager = { args: ['--token-renewal-percent', '1'] };
    rig = await CrashRig.start({ instance: 'it-needs-crash', members: 1, nodes: 1 }, manager);
    folder = mkdtempSync(join(tmpdir(), 'kosmos-needs-'));
    provisioner = new PathProvisioner(rig.federation.client('member1'), folder);
    provisioner.start();
    await prepareNeeds(rig);
  });

  after(async () => {
    await provisioner.stop();
    rmSync(folder, { recursive: true, force: true });
    await rig.close();
  });

  it('brings all of it to its end: nothing is left, nothing is lost', async function () {
    this.timeout(900_000);
    await new CrashSweep(rig, isWrite).sweep(needsScript);
  });
});

import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claims, configMaps, pods, secrets, serviceAccounts } from '../../src/kube/resource.js';
import { CrashRig } from './crash-rig.js';
import { CrashSweep } from './crash-sweep.js';
import { eventually } from './eventually.js';
import { needsLeft } from './needs-agreement.js';
import { needsScript, needyPod, NEEDS_CLASS, prepareNeeds, simpleClaimSpec } from './needs-crash-script.js';
import { PathProvisioner } from './path-provisioner.js';

/** A manager that is killed at calls of the kinds that `kinds` accepts, and one that was away. */
export function needsCrashSuite(instance: string, kinds: (kind: string) => boolean): void {
  describe('what pods need, with a manager that is killed', () => {
    let rig: CrashRig;
    let provisioner: PathProvisioner;
    let folder: string;

    before(async () => {
      const manager = { args: ['--token-renewal-percent', '1'] };
      rig = await CrashRig.start({ instance, members: 1, nodes: 1 }, manager);
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

    it('comes, changes and goes, whenever that happens', async function () {
      this.timeout(1_800_000);
      await new CrashSweep(rig, kinds).sweep(needsScript);
    });

    it('is removed when those who needed it went while there was no manager', async () => {
      const { federation } = rig;
      const { host } = federation;
      const namespace = await federation.namespace('away');
      const ref = (name: string): { namespace: string; name: string } => ({ namespace, name });
      await host.create(serviceAccounts, { metadata: ref('robot') });
      await host.create(configMaps, { metadata: ref('settings'), data: { color: 'red' } });
      await host.create(secrets, { metadata: ref('login'), stringData: { password: 'one' } });
      await host.create(claims, { metadata: ref('data'), spec: simpleClaimSpec(NEEDS_CLASS) });
      await host.create(pods, needyPod(ref('user')));
      await federation.runningPod('host', ref('user'));
      const left = async (): Promise<readonly string[]> => needsLeft(federation, (one) => one === namespace);
      expect(await left()).to.have.length(7);
      await federation.killManager();
      await host.delete(pods, ref('user'), { gracePeriodSeconds: 0 });
      await host.delete(claims, ref('data'));
      await host.delete(secrets, ref('login'));
      await federation.restartManager();
      await eventually(async () => expect(await left()).to.deep.equal([]));
      expect((await host.get(configMaps, ref('settings'))).data).to.deep.equal({ color: 'red' });
    });
  });
}

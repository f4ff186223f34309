import { expect } from 'chai';
import { buildImage } from '../../hack/image/build.js';
import { Lab } from '../../hack/lab/lab.js';
import { Kosmosctl } from '../support/kosmosctl.js';
import { seededRandom } from '../support/seeded-random.js';

const ROUNDS = 20;

describe('kosmosctl, killed at any time and run again', () => {
  let lab: Lab;
  let ctl: Kosmosctl;

  before(async function () {
    this.timeout(400_000);
    await Lab.down('soak-ctl');
    const image = await buildImage();
    lab = await Lab.up({ instance: 'soak-ctl', members: 1, full: true });
    for (const cluster of lab.clusters) await cluster.importImages(image.archive);
    ctl = new Kosmosctl(lab.host);
  });

  after(async () => {
    await lab.down();
  });

  for (let seed = 1; seed <= ROUNDS; seed += 1) {
    it(`comes to the same end with seed ${seed}`, async () => {
      const random = seededRandom(seed);
      const member = ['member1', '--kubeconfig', lab.cluster('member1').kubeconfigPath];
      const commands: readonly (readonly [string[], string[]])[] = [
        [['install'], []],
        [['join', 'cluster', ...member, '--yes'], []],
        [['unjoin', 'cluster', ...member], ['--verify']],
        [['uninstall'], ['--verify']],
      ];
      for (const [args, more] of commands) {
        await ctl.runAndSignal(args, 'SIGKILL', 200 + random() * 5_000);
        const { code, stderr } = await ctl.run([...args, ...more]);
        expect(code, `${args.join(' ')}: ${stderr}`).to.equal(0);
      }
    }).timeout(300_000);
  }
});

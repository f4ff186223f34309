import type { Family } from '../../hack/lab/addresses.js';
import { LinkScene } from '../support/link-scene.js';
import { trafficSuite } from '../support/link-traffic-suite.js';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6', 'dual'];

for (const family of FAMILIES) {
  for (const overlap of [false, true]) {
    const ranges = overlap ? 'all with the same ranges' : 'with ranges of their own';
    describe(`three linked clusters of family ${family}, ${ranges}`, function () {
      this.timeout(900_000);
      let scene: LinkScene;

      before(async () => {
        const instance = `soak-matrix-${family}${overlap ? '-same' : ''}`;
        scene = await LinkScene.start({ instance, members: 2, family, overlap });
      });

      after(async () => {
        process.stdout.write(`\n${family}, ${ranges}\n${scene.matrix.render()}\n`);
        await scene.lab.down();
      });

      for (const mode of ['p2p', 'gateway', 'mixed'] as const) trafficSuite(() => scene, mode);
    });
  }
}

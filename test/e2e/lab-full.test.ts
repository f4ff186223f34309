import { expect } from 'chai';
import { LAB_IMAGES } from '../../hack/lab/full/images.js';
import { Lab } from '../../hack/lab/lab.js';
import { blocksOf } from '../../hack/lab/network.js';
import { instanceFingerprint } from '../../hack/lab/paths.js';
import { describeFullLab } from '../support/full-lab-suite.js';
import { NOTHING_LEFT, remainsOf } from '../support/lab-remains.js';

// Has all that the other families have, which are booted in test/soak.
describeFullLab('dual');

describe('the lab with full clusters when it crashes', () => {
  const instance = 'e2e-lab-crash';

  after(() => Lab.down(instance));

  it('is removed without rest by down although every kubelet and container runtime was killed', async () => {
    await Lab.down(instance);
    const lab = await Lab.up({ instance, full: true, members: 0 });
    const [block] = await blocksOf(instanceFingerprint(instance));
    await lab.host.kubectl(['run', 'left', `--image=${LAB_IMAGES.busybox}`, '--', 'sleep', '3600']);
    await lab.host.kubectl(['wait', '--for=condition=Ready', 'pod/left', '--timeout=60s']);
    for (const component of ['kubelet', 'containerd', 'kube-apiserver'] as const) {
      await lab.host.stopComponent(component, 'SIGKILL');
    }
    lab.close();
    await Lab.down(instance);
    expect(await remainsOf(instance, block)).to.deep.equal(NOTHING_LEFT);
  });
});

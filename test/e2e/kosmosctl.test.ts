import { expect } from 'chai';
import { buildImage } from '../../hack/image/build.js';
import { LAB_IMAGES } from '../../hack/lab/full/images.js';
import { Lab } from '../../hack/lab/lab.js';
import { Kubectl } from '../support/kubectl.js';
import { Kosmosctl } from '../support/kosmosctl.js';

const SPREAD = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 4,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [{ name: 'web', image: LAB_IMAGES.http }],
        terminationGracePeriodSeconds: 1,
        tolerations: [{ key: 'kosmos.io/node', operator: 'Exists' }],
        nodeSelector: { 'kosmos.io/node': 'true' },
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kosmos.io/cluster',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'web' } },
          },
        ],
      },
    },
  },
};

describe('a federation from nothing, with the manager in pods of the host', () => {
  let lab: Lab;
  let ctl: Kosmosctl;
  let kubectl: Kubectl;

  before(async function () {
    this.timeout(400_000);
    await Lab.down('e2e-ctl');
    const image = await buildImage();
    lab = await Lab.up({ instance: 'e2e-ctl', members: 2, full: true });
    await lab.host.importImages(image.archive);
    ctl = new Kosmosctl(lab.host);
    kubectl = new Kubectl(lab.host, 'default');
  });

  after(async () => {
    await lab.down();
  });

  const join = (name: string) =>
    ctl.run(['join', 'cluster', '--name', name, '--kubeconfig', lab.cluster(name).kubeconfigPath, '--yes']);

  it('installs, and installs again without a restart', async () => {
    const first = await ctl.run(['install']);
    expect(first.code, first.stderr).to.equal(0);
    expect(first.stderr).to.contain('Wait for the managers: 2 ready');
    const uids = (): Promise<string> =>
      kubectl.output(['-n', 'kosmos-system', 'get', 'pods', '-o', 'jsonpath={.items[*].metadata.uid}']);
    const before = await uids();
    const second = await ctl.run(['install']);
    expect(second.code, second.stderr).to.equal(0);
    expect(await uids()).to.equal(before);
  });

  it('joins two members, each twice', async () => {
    for (const name of ['member1', 'member2', 'member1', 'member2']) {
      const { code, stderr } = await join(name);
      expect(code, stderr).to.equal(0);
    }
    expect(await ctl.output(['get', 'nodes', '-o', 'name'])).to.equal('node/kosmos-member1\nnode/kosmos-member2\n');
  });

  it('spreads a Deployment over them, whose logs and shells are reached through the Service', async () => {
    await kubectl.output(['apply', '-f', '-'], 'WebSocket', { input: JSON.stringify(SPREAD) });
    await kubectl.output(['rollout', 'status', 'deployment/web', '--timeout=90s'], 'WebSocket', { timeoutMs: 100_000 });
    const nodes = (await kubectl.output(['get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].spec.nodeName}']))
      .split(' ')
      .sort();
    expect(nodes).to.deep.equal(['kosmos-member1', 'kosmos-member1', 'kosmos-member2', 'kosmos-member2']);
    expect((await kubectl.output(['exec', 'deployment/web', '--', 'hostname'])).trim()).to.match(/^web-/);
  });

  it('takes both out and uninstalls, each twice, and nothing is left', async () => {
    await kubectl.output(['delete', 'deployment', 'web']);
    for (const name of ['member1', 'member2', 'member1', 'member2']) {
      const kubeconfig = lab.cluster(name).kubeconfigPath;
      const { code, stderr } = await ctl.run(['unjoin', 'cluster', name, '--kubeconfig', kubeconfig, '--verify']);
      expect(code, stderr).to.equal(0);
    }
    for (const _ of [1, 2]) {
      const { code, stderr } = await ctl.run(['uninstall', '--verify']);
      expect(code, stderr).to.equal(0);
      expect(stderr).to.contain('Verify that nothing is left: nothing');
    }
    expect(await kubectl.output(['get', 'namespace', 'kosmos-system', '--ignore-not-found'])).to.equal('');
  });
});

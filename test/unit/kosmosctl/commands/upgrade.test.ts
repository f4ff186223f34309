import { expect } from 'chai';
import { pods } from '../../../../src/kube/resource.js';
import { MANAGER_SELECTOR } from '../../../../src/kosmosctl/manifests/labels.js';
import { customResourceDefinitions, deployments } from '../../../../src/kosmosctl/objects.js';
import { CliFederation, NAMESPACE } from '../../../support/cli-federation.js';
import { expectMistake } from '../../../support/mistakes.js';

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'clusters.kosmos.io' },
};
const CRDS = { crds: [{ ...CRD, spec: { versions: [{ name: 'v1alpha1' }] } }] };
const MANAGER = { namespace: NAMESPACE, name: 'kosmos-manager' };

describe('kosmosctl upgrade', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
    federation.clock.meanwhile = () => {
      const { host } = federation;
      const status = { conditions: [{ type: 'Established', status: 'True' }], storedVersions: ['v1alpha1'] };
      if (host.peek(customResourceDefinitions, CRD.metadata))
        host.edit(customResourceDefinitions, CRD.metadata, { status });
      const { generation: observedGeneration } = host.peek(deployments, MANAGER)?.metadata ?? {};
      const done = { observedGeneration, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
      if (host.peek(deployments, MANAGER)) host.edit(deployments, MANAGER, { status: done });
    };
  });

  afterEach(() => federation.close());

  const run = (line: string, more: object = {}) => federation.run(`${line} -m clustertree`, { ...CRDS, ...more });
  const mistake = (name: Parameters<typeof expectMistake>[0], { code, err }: { code: number; err: string }): void =>
    expectMistake(name, { code, stderr: err });

  it('has nothing to do where all is as it should be', async () => {
    await run('install');
    const before = federation.host.store.resourceVersion;
    const { code, err } = await run('upgrade');
    expect([code, err]).to.deep.equal([0, 'everything is as Kosmos 0.1.0 has it; nothing to do\n']);
    expect(federation.host.store.resourceVersion).to.equal(before);
  });

  it('shows what would change, and changes it when that is agreed to', async () => {
    await run('install --image a/kosmos:1');
    const shown = await run('upgrade --image a/kosmos:2 --dry-run');
    expect(shown.code).to.equal(0);
    expect(shown.out).to.match(
      /Deployment kosmos-system\/kosmos-manager +spec\.template\.spec\.containers\.manager\.image +a\/kosmos:1 +a\/kosmos:2\n/,
    );
    const before = federation.host.store.resourceVersion;
    mistake('nobody-agrees-to-changes', await run('upgrade --image a/kosmos:2'));
    expect(federation.host.store.resourceVersion).to.equal(before);
    const { code, err } = await run('upgrade --image a/kosmos:2 --yes');
    expect(code, err).to.equal(0);
    expect(err)
      .to.contain('Wait for the managers: 2 ready')
      .and.to.contain('To go back, run upgrade of kosmosctl 0.1.0');
    const deployment = federation.host.peek(deployments, MANAGER);
    expect(JSON.stringify(deployment)).to.contain('a/kosmos:2').and.not.to.contain('a/kosmos:1');
    expect((await run('upgrade --image a/kosmos:2')).err).to.contain('nothing to do');
  });

  it('applies CRDs before rights, and these before managers', async () => {
    await run('install --image a/kosmos:1');
    const from = federation.host.calls.length;
    await run('upgrade --image a/kosmos:2 --yes');
    const kinds = federation.host.calls
      .slice(from)
      .filter(({ verb, options }) => verb === 'patch' && (options as { dryRun?: boolean }).dryRun !== true)
      .map(({ type }) => type?.kind);
    expect(kinds.indexOf('CustomResourceDefinition')).to.be.lessThan(kinds.indexOf('ClusterRole'));
    expect(kinds.indexOf('ClusterRole')).to.be.lessThan(kinds.indexOf('Deployment'));
  });

  it('does not go back behind versions that objects are stored in', async () => {
    await run('install');
    const status = { storedVersions: ['v1alpha1', 'v1beta1'] };
    federation.host.edit(customResourceDefinitions, CRD.metadata, { status });
    const before = federation.host.store.resourceVersion;
    mistake('stored-version', await run('upgrade --yes'));
    expect(federation.host.store.resourceVersion).to.equal(before);
  });

  it('tells the way back when it fails', async () => {
    await run('install --image a/kosmos:1');
    federation.clock.meanwhile = () => undefined;
    const waiting = { reason: 'ErrImageNeverPull' };
    const container = { name: 'manager', image: '', imageID: '', ready: false, restartCount: 0, state: { waiting } };
    const metadata = { namespace: NAMESPACE, name: 'kosmos-manager-x', labels: MANAGER_SELECTOR };
    federation.host.seed(pods, { metadata, status: { containerStatuses: [container] } });
    const result = await run('upgrade --image a/kosmos:2 --yes --wait-time 1');
    mistake('no-image', result);
    expect(result.err)
      .to.contain('error: Wait for the managers')
      .and.to.contain('To go back, run upgrade of kosmosctl 0.1.0');
  });

  it('wants an installation', async () => {
    mistake('nothing-to-upgrade', await run('upgrade'));
  });
});

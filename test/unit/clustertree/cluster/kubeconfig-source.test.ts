import { expect } from 'chai';
import { readKubeconfig } from '../../../../src/clustertree/cluster/kubeconfig-source.js';
import { secrets } from '../../../../src/kube/resource.js';
import { FederationError } from '../../../../src/lib/errors.js';
import { clusterConfig, MemberHarness } from '../../../support/member-harness.js';

describe('readKubeconfig', () => {
  let harness: MemberHarness;

  beforeEach(() => {
    harness = new MemberHarness();
  });

  afterEach(() => harness.end());

  const byReference = clusterConfig({
    spec: { kubeconfig: undefined, kubeconfigSecretRef: { name: 'east', namespace: 'clusters' } },
  });

  function seed(data: Record<string, string> | undefined): void {
    harness.host.seed(secrets, { metadata: { name: 'east', namespace: 'clusters' }, data });
  }

  async function failure(config = byReference): Promise<unknown> {
    return readKubeconfig(harness.host, config, harness.signal).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  it('takes the one in the Cluster without asking the API server', async () => {
    expect(await readKubeconfig(harness.host, clusterConfig(), harness.signal)).to.equal('kubeconfig of member1');
    expect(harness.host.calls).to.be.empty;
  });

  it('takes the one in the Secret', async () => {
    seed({ kubeconfig: Buffer.from('from the Secret').toString('base64') });
    expect(await readKubeconfig(harness.host, byReference, harness.signal)).to.equal('from the Secret');
  });

  it('says which key a Secret lacks', async () => {
    seed({ config: '' });
    expect(await failure())
      .to.be.instanceOf(FederationError)
      .with.property('message', 'Secret clusters/east has no key kubeconfig; put the kubeconfig there');
  });

  it('says so when the Secret holds nothing at all', async () => {
    seed(undefined);
    expect(await failure()).to.have.property('code', 'KUBECONFIG_INVALID');
  });

  it('passes on that there is no such Secret', async () => {
    expect(await failure()).to.have.property('statusCode', 404);
  });

  it('says so when the Cluster names none', async () => {
    const config = clusterConfig({ spec: { kubeconfig: undefined, clusterTreeOptions: { enable: false } } });
    expect(await failure(config)).to.have.property('code', 'KUBECONFIG_INVALID');
  });
});

import { expect } from 'chai';
import { parse } from 'yaml';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { deployments } from '../../../../src/kosmosctl/objects.js';
import { CliFederation, clusterOf, NAMESPACE } from '../../../support/cli-federation.js';

function managerWith(image: string, namespace = NAMESPACE): object {
  const spec = { template: { spec: { containers: [{ name: 'manager', image }] } } };
  return { metadata: { namespace, name: 'kosmos-manager' }, spec };
}

describe('kosmosctl version', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
  });

  afterEach(() => federation.close());

  const rows = (out: string): readonly (readonly string[])[] =>
    out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ {3,}/));

  it('is that of all that takes part', async () => {
    federation.host.seed(deployments, managerWith('r.example/kosmos:0.1.0'));
    const status = { kubernetesVersion: 'v1.33.0' } as never;
    federation.host.seed(clusters, clusterOf('b', undefined, { status }));
    federation.host.seed(clusters, clusterOf('a'));
    const { code, out, err } = await federation.run('version');
    expect([code, err]).to.deep.equal([0, '']);
    expect(rows(out)).to.deep.equal([
      ['kosmosctl', '0.1.0'],
      ['manager', 'r.example/kosmos:0.1.0'],
      ['host', 'Kubernetes v1.36.3'],
      ['member a', 'Kubernetes ?'],
      ['member b', 'Kubernetes v1.33.0'],
    ]);
  });

  it('does not take the Cluster of the host itself for a member', async () => {
    const metadata = { name: 'host', annotations: { 'kosmos.io/cluster-role': 'root' } };
    federation.host.seed(clusters, clusterOf('host', undefined, { metadata }));
    expect((await federation.run('version')).out).not.to.contain('member');
  });

  it('asks nobody when only that of the program is wanted', async () => {
    const { out } = await federation.run('version --client -o json', { environment: {} });
    expect(JSON.parse(out)).to.deep.equal({ kosmosctl: '0.1.0' });
    expect(federation.host.calls).to.deep.equal([]);
  });

  it('looks for the manager in the namespace of the installation', async () => {
    federation.host.seed(deployments, managerWith('elsewhere:1', 'elsewhere'));
    expect((await federation.run('version')).out).not.to.contain('manager');
    expect((await federation.run('version -n elsewhere')).out).to.contain('elsewhere:1');
  });

  const unreachable: readonly (readonly [string, () => Readonly<Record<string, string>>, string])[] = [
    ['there is no kubeconfig', () => ({}), "can't be read (ENOENT)"],
    [
      'nobody answers',
      () => ({ '/host.yaml': federation.hostServer.kubeconfig().replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1') }),
      "can't be reached",
    ],
  ];
  for (const [what, files, said] of unreachable) {
    it(`is still that of the program when ${what}`, async () => {
      const environment = what === 'nobody answers' ? { KUBECONFIG: '/host.yaml' } : { KUBECONFIG: '/nowhere' };
      const { code, out, err } = await federation.run('version', { files: files(), environment });
      expect([code, rows(out)]).to.deep.equal([0, [['kosmosctl', '0.1.0']]]);
      expect(err)
        .to.match(/^the host could not be asked: /)
        .and.contain(said);
    });
  }

  it('says why for machines as well', async () => {
    federation.host.paths.delete('/version');
    const { out, err } = await federation.run('version -o yaml');
    expect(parse(out)).to.have.property('kosmosctl', '0.1.0');
    expect(parse(out)).to.have.property('problem').that.contains(federation.hostServer.url);
    expect(err).to.equal('');
  });

  it('does not quote what is no API server', async () => {
    federation.host.paths.set('/version', '<html>welcome to the router</html>');
    const { err } = await federation.run('version');
    expect(err).to.contain('the host could not be asked').and.contain('no API server of Kubernetes');
    expect(err).not.to.contain('html');
  });
});

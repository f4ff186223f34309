import { expect } from 'chai';
import type { KubeObject } from '../../../../src/apis/core.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { services } from '../../../../src/kube/resource.js';
import { serviceExports, serviceImports } from '../../../../src/kosmosctl/objects.js';
import { serviceImportManifest } from '../../../../src/kosmosctl/services/manifests.js';
import { CliFederation } from '../../../support/cli-federation.js';
import { expectMistake } from '../../../support/mistakes.js';

const WEB = { namespace: 'shop', name: 'web' };
const IMPORT = 'import service web -n shop --to-leafcluster m --to-kubeconfig /member.yaml';

describe('kosmosctl export and import', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
    const ports = [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080, nodePort: 30_000 }];
    federation.host.seed(services, { metadata: WEB, spec: { clusterIP: '10.0.0.7', ports } });
  });

  afterEach(() => federation.close());

  const mistake = (name: Parameters<typeof expectMistake>[0], { code, err }: { code: number; err: string }): void =>
    expectMistake(name, { code, stderr: err });

  it('makes a ServiceExport in the host, once', async () => {
    const { code, out, err } = await federation.run('export service web -n shop');
    expect([code, out]).to.deep.equal([0, 'ServiceExport shop/web is in the host\n']);
    expect(err).to.contain('Kosmos has no controller for it yet');
    const version = federation.host.store.resourceVersion;
    expect((await federation.run('export svc web -n shop')).code).to.equal(0);
    expect(federation.host.store.resourceVersion).to.equal(version);
    expect(federation.host.peek(serviceExports, WEB)).not.to.equal(undefined);
  });

  it('makes a ServiceImport in the member, with the ports of the Service', async () => {
    const { code, out } = await federation.run(IMPORT);
    expect([code, out]).to.deep.equal([0, 'ServiceImport shop/web is in the member m\n']);
    const made: KubeObject & { spec?: unknown } = federation.member.peek(serviceImports, WEB)!;
    expect(made.spec).to.deep.equal({ type: 'ClusterSetIP', ports: [{ name: 'http', protocol: 'TCP', port: 80 }] });
    expect((await federation.run(IMPORT)).code).to.equal(0);
  });

  it('says that there is no such Service, before anything is made', async () => {
    mistake('no-such-service', await federation.run('export service web'));
    expect(federation.host.callsOf({ verb: 'patch' })).to.deep.equal([]);
  });

  it('says that the CRD is missing', async () => {
    const error = new ApiError(
      { message: 'the server could not find the requested resource', reason: 'NotFound', code: 404 },
      { statusCode: 404 },
    );
    federation.host.fail({ verb: 'patch', error });
    mistake('crd-missing', await federation.run('export service web -n shop'));
  });

  it("says that the managers' identity may not", async () => {
    const error = new ApiError(
      { message: 'serviceimports is forbidden', reason: 'Forbidden', code: 403 },
      { statusCode: 403 },
    );
    federation.member.fail({ verb: 'patch', error });
    mistake('import-forbidden', await federation.run(IMPORT));
  });

  it('wants to know the member', async () => {
    const { code, err } = await federation.run('import service web');
    expect([code, err.includes("required option '--to-leafcluster <name>' not specified")]).to.deep.equal([2, true]);
  });
});

describe('serviceImportManifest', () => {
  it('is headless for a Service without an address of its own', () => {
    for (const clusterIP of ['None', '', undefined]) {
      const { spec } = serviceImportManifest({ metadata: WEB, spec: { clusterIP, ports: [{ port: 1 }] } });
      expect(spec).to.deep.equal({ type: 'Headless', ports: [{ port: 1 }] });
    }
  });
});

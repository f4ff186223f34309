import { expect } from 'chai';
import { ApiError } from '../../../../src/kube/api-error.js';
import { namespaces, pods, services } from '../../../../src/kube/resource.js';
import {
  clusterRoles,
  customResourceDefinitions,
  deployments,
  disruptionBudgets,
  podMonitors,
} from '../../../../src/kosmosctl/objects.js';
import { CliFederation, NAMESPACE } from '../../../support/cli-federation.js';

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'clusters.kosmos.io' },
};
const ESTABLISHED = { status: { conditions: [{ type: 'Established', status: 'True' }] } };
const CRDS = { crds: [{ ...CRD, spec: {} }] };
const MANAGER = { namespace: NAMESPACE, name: 'kosmos-manager' };

describe('kosmosctl install', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
    federation.clock.meanwhile = () => {
      const { host } = federation;
      if (host.peek(customResourceDefinitions, CRD.metadata))
        host.edit(customResourceDefinitions, CRD.metadata, ESTABLISHED);
      const { generation: observedGeneration } = host.peek(deployments, MANAGER)?.metadata ?? {};
      const status = { observedGeneration, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
      if (host.peek(deployments, MANAGER)) host.edit(deployments, MANAGER, { status });
    };
  });

  afterEach(() => federation.close());

  const applied = (): readonly string[] =>
    federation.host.callsOf({ verb: 'patch' }).map(({ type, ref }) => `${type?.kind} ${ref.name}`);

  it('applies everything in an order in which each finds what it needs', async () => {
    const { code, out, err } = await federation.run('install', CRDS);
    expect([code, out]).to.deep.equal([0, '']);
    expect(applied().slice(0, 3)).to.deep.equal([
      'Namespace kosmos-system',
      'CustomResourceDefinition clusters.kosmos.io',
      'ServiceAccount kosmos-manager',
    ]);
    expect(applied().at(-1)).to.equal('Deployment kosmos-manager');
    expect(err).to.contain('ok   Wait for the managers: 2 ready').and.contain('Kosmos 0.1.0 is installed.');
  });

  it('applies as kosmosctl, by server-side apply, with fields checked', async () => {
    await federation.run('install --wait-time 0', CRDS);
    for (const { method, query, headers } of federation.hostServer.requests) {
      if (method !== 'PATCH') continue;
      expect(headers['content-type']).to.equal('application/apply-patch+yaml');
      expect(Object.fromEntries(query)).to.deep.equal({
        fieldManager: 'kosmosctl',
        force: 'true',
        fieldValidation: 'Strict',
      });
    }
  });

  it('changes nothing when it is run again', async () => {
    await federation.run('install', CRDS);
    const version = federation.host.store.resourceVersion;
    expect((await federation.run('install', CRDS)).code).to.equal(0);
    expect(federation.host.store.resourceVersion).to.equal(version);
  });

  it('waits until the CRDs are served before it starts managers', async () => {
    let sleeps = 0;
    const { meanwhile } = federation.clock;
    federation.clock.meanwhile = () => {
      sleeps += 1;
      if (sleeps < 3) expect(federation.host.peek(deployments, MANAGER)).to.equal(undefined);
      else meanwhile();
    };
    const { code, err } = await federation.run('install', CRDS);
    expect(code).to.equal(0);
    expect(err).to.contain(
      '...  Apply namespace and CRDs: CustomResourceDefinition clusters.kosmos.io is not served yet',
    );
  });

  it('ends when the CRDs are never served', async () => {
    federation.clock.meanwhile = () => undefined;
    const { code, err } = await federation.run('install', CRDS);
    expect(code).to.equal(4);
    expect(err).to.contain('CRDs: not within 30 s; ');
    expect(federation.host.peek(deployments, MANAGER)).to.equal(undefined);
  });

  it('ends when the managers do not start, with what keeps them and what to do', async () => {
    const { meanwhile } = federation.clock;
    federation.clock.meanwhile = () => {
      if (federation.host.peek(deployments, MANAGER) === undefined) meanwhile();
    };
    const labels = { 'app.kubernetes.io/name': 'kosmos', 'app.kubernetes.io/component': 'manager' };
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
    federation.host.seed(pods, {
      metadata: { namespace: NAMESPACE, name: 'manager-0', labels },
      status: {
        containerStatuses: [
          { name: 'manager', image: '', imageID: '', ready: false, restartCount: 0, state: { waiting } },
        ],
      },
    });
    const { code, err } = await federation.run('install --wait-time 2s', CRDS);
    expect(code).to.equal(4);
    expect(err).to.contain('manager-0: ImagePullBackOff (no such image)\nImport the image into the nodes');
  });

  it('does not wait when that is not wanted', async () => {
    const { code, err } = await federation.run('install --wait-time 0', CRDS);
    expect([code, err.includes('Wait for the managers')]).to.deep.equal([0, false]);
  });

  describe('of the namespace', () => {
    it('leaves one as it is that somebody else has made', async () => {
      federation.host.seed(namespaces, { metadata: { name: NAMESPACE, labels: { team: 'x' } } });
      expect((await federation.run('install', CRDS)).code).to.equal(0);
      expect(federation.host.peek(namespaces, { name: NAMESPACE })?.metadata?.labels).to.deep.equal({ team: 'x' });
    });

    it('refuses one that is being deleted, before anything is applied', async () => {
      const metadata = { name: NAMESPACE, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x'] };
      federation.host.seed(namespaces, { metadata });
      const { code, err } = await federation.run('install', CRDS);
      expect([code, applied()]).to.deep.equal([1, []]);
      expect(err).to.contain('the namespace kosmos-system is being deleted\nWait until it is gone');
    });

    it('puts everything into another one when that is wanted', async () => {
      expect((await federation.run('install -n elsewhere --wait-time 0', CRDS)).code).to.equal(0);
      const found = federation.host.peek(deployments, { ...MANAGER, namespace: 'elsewhere' });
      expect(JSON.stringify(found)).to.contain('--lease-namespace=elsewhere').and.not.contain(NAMESPACE);
    });
  });

  describe('of what only some installations have', () => {
    const names = (type: typeof podMonitors): number => federation.host.peekAll(type).length;

    it('removes it when it is not wanted any more', async () => {
      await federation.run('install --set podMonitor=true', CRDS);
      expect([names(podMonitors), names(disruptionBudgets), names(services)]).to.deep.equal([1, 1, 1]);
      await federation.run('install --set podDisruptionBudget=false --set kubelet.service=false', CRDS);
      expect([names(podMonitors), names(disruptionBudgets), names(services)]).to.deep.equal([0, 0, 0]);
    });

    it('leaves the same of others alone', async () => {
      federation.host.seed(services, { metadata: { namespace: NAMESPACE, name: 'theirs' } });
      const labels = { 'app.kubernetes.io/part-of': 'kosmos' };
      federation.host.seed(services, { metadata: { namespace: 'another', name: 'kosmos-manager', labels } });
      await federation.run('install --set kubelet.service=false', CRDS);
      expect(names(services)).to.equal(2);
    });

    it('needs no operator of Prometheus', async () => {
      const error = new ApiError({ code: 404, reason: 'NotFound', message: '404 page not found' });
      federation.host.fail({ verb: 'list', type: podMonitors, error, times: 9 });
      expect((await federation.run('install', CRDS)).code).to.equal(0);
    });
  });

  it('refuses a host that is too old, before anything is applied', async () => {
    federation.host.paths.set('/version', '{"gitVersion":"v1.29.0"}');
    const { code, err } = await federation.run('install', CRDS);
    expect([code, applied()]).to.deep.equal([1, []]);
    expect(err).to.contain('Look at the host cluster: the host runs Kubernetes v1.29.0, which is not supported');
  });

  it('says which step was refused', async () => {
    federation.host.fail({
      verb: 'patch',
      type: clusterRoles,
      error: new ApiError({ code: 403, reason: 'Forbidden', message: 'no escalation' }),
      times: 9,
    });
    const { code, err } = await federation.run('install', CRDS);
    expect(code).to.equal(1);
    expect(err).to.contain('error: Apply identity, rights and managers: the API server of the host');
    expect(err).to.contain('refuses: no escalation\nUse a kubeconfig that may do this');
  });

  it('asks no cluster with --dry-run', async () => {
    const { code } = await federation.run('install --dry-run', { ...CRDS, environment: {} });
    expect([code, federation.hostServer.requests]).to.deep.equal([0, []]);
  });
});

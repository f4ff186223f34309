import { expect } from 'chai';
import { ApiError } from '../../../../src/kube/api-error.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { namespaces, pods, services } from '../../../../src/kube/resource.js';
import {
  clusterRoles,
  customResourceDefinitions,
  daemonSets,
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
const HOST = { name: 'kosmos-control-cluster' };
const LINKED = {
  conditions: [
    {
      type: 'ClusterLinkReady',
      status: 'True',
      reason: 'Linked',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
  clusterLinkStatus: { nodes: { ready: 2, total: 2, summary: '2/2' }, gateway: 'n1' },
} as const;
const AGENT = { namespace: NAMESPACE, name: 'kosmos-agent' };
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
      if (host.peek(clusters, HOST)) host.edit(clusters, HOST, { status: LINKED });
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
    expect(applied().slice(-7)).to.deep.equal([
      ...['ServiceAccount kosmos-agent', 'ClusterRole kosmos-agent', 'ClusterRoleBinding kosmos-agent'],
      ...['Role kosmos-agent', 'RoleBinding kosmos-agent', 'DaemonSet kosmos-agent', 'Cluster kosmos-control-cluster'],
    ]);
    expect(err).to.contain("ok   Wait for the host's network: 2 nodes, gateway n1");
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

  it('has no agents without ClusterLink, and takes the host out of the network before they go', async () => {
    expect((await federation.run('install', CRDS)).code).to.equal(0);
    expect(federation.host.peek(daemonSets, AGENT)).not.to.equal(undefined);
    const { code, err } = await federation.run('install -m clustertree', CRDS);
    expect(code, err).to.equal(0);
    const gone = federation.host.callsOf({ verb: 'delete' }).map(({ resource, ref }) => `${resource}/${ref.name}`);
    expect(gone).to.deep.equal([
      ...['clusters/kosmos-control-cluster', 'daemonsets/kosmos-agent', 'clusterrolebindings/kosmos-agent'],
      ...['clusterroles/kosmos-agent', 'serviceaccounts/kosmos-agent'],
    ]);
  });

  it('links the network of the host as the flags say', async () => {
    const flags =
      '--cni flannel --network-type p2p --ip-family all --default-nic eth1 --global-cidr 10.0.0.0/8=11.0.0.0/8';
    expect((await federation.run(`install -m clusterlink ${flags}`, CRDS)).code).to.equal(0);
    expect(federation.host.peek(clusters, HOST)?.spec.clusterLinkOptions).to.deep.equal({
      ...{ cni: 'flannel', networkType: 'p2p', ipFamily: 'all', defaultNICName: 'eth1' },
      globalCIDRsMap: { '10.0.0.0/8': '11.0.0.0/8' },
    });
  });

  for (const [given, problem] of [
    ['10.0.0.0/8', 'is not range=range'],
    ['10.0.0.0/8=11.0.0.0/9', 'the ranges are not of the same size'],
    ['10.0.0.0/8=fd00::/8', 'the ranges are not of the same size'],
    ['10.0.0.0/8=x/8', 'is not range=range'],
  ] as const) {
    it(`refuses ${given} as a range that others see as another`, async () => {
      const { code, err } = await federation.run(`install --global-cidr ${given}`, CRDS);
      expect(code).to.equal(2);
      expect(err).to.contain(problem).and.contain('--global-cidr 10.10.0.0/16=242.10.0.0/16');
    });
  }

  it("says why the host's network is not linked", async () => {
    const { meanwhile } = federation.clock;
    federation.clock.meanwhile = () => {
      meanwhile();
      if (!federation.host.peek(clusters, HOST)) return;
      const [ready] = LINKED.conditions;
      const conditions = [{ ...ready, status: 'False', reason: 'NodesNotDetected', message: 'n1' } as const];
      federation.host.edit(clusters, HOST, { status: { conditions } });
    };
    const labels = { 'app.kubernetes.io/name': 'kosmos', 'app.kubernetes.io/component': 'agent' };
    const waiting = { reason: 'CrashLoopBackOff' };
    const state = { name: 'agent', image: '', imageID: '', ready: false, restartCount: 3, state: { waiting } };
    const metadata = { namespace: NAMESPACE, name: 'agent-0', labels };
    federation.host.seed(pods, { metadata, status: { containerStatuses: [state] } });
    const { code, err } = await federation.run('install --wait-time 5', CRDS);
    expect(code).to.equal(4);
    expect(err).to.contain('NodesNotDetected: n1; agent-0: CrashLoopBackOff');
    expect(err).to.contain('kubectl logs -n kosmos-system daemonset/kosmos-agent');
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
      // One for managers, one for agents.
      expect([names(podMonitors), names(disruptionBudgets), names(services)]).to.deep.equal([2, 1, 1]);
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

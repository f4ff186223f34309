import { expect } from 'chai';
import type { KubeObject, ObjectMeta, Pod } from '../../../../src/apis/core.js';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { HOST_UID_ANNOTATION, POD_LABEL } from '../../../../src/apis/names.js';
import { FORMER_KINDS } from '../../../../src/kosmosctl/adopt/former-kinds.js';
import { customResourceDefinitions, daemonSets, deployments } from '../../../../src/kosmosctl/objects.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { configMaps, leases, nodes, pods, secrets, services } from '../../../../src/kube/resource.js';
import { CliFederation, MEMBER_UID, NAMESPACE } from '../../../support/cli-federation.js';
import type { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { expectMistake } from '../../../support/mistakes.js';

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'clusters.kosmos.io' },
};
const CRDS = { crds: [{ ...CRD, spec: { versions: [{ name: 'v1alpha1' }] } }] };
const MANAGER = { namespace: NAMESPACE, name: 'clustertree-cluster-manager' };
const AGENT = { namespace: NAMESPACE, name: 'clusterlink-agent' };
const WEB = { namespace: 'shop', name: 'web-0' };
const SETTINGS = { namespace: 'shop', name: 'settings' };
const GLOBAL = { 'kosmos.io/global': 'true' };
const UNANSWERED = JSON.stringify({
  'current-context': 'c',
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
  users: [{ name: 'c', user: { token: 'very-secret-token' } }],
});

describe('kosmosctl adopt', () => {
  let federation: CliFederation;
  /** Whether pods of components that are stopped end. */
  let isObedient: boolean;

  beforeEach(async () => {
    isObedient = true;
    federation = await CliFederation.start();
    seedFormer();
    federation.clock.meanwhile = () => {
      const { host, member } = federation;
      const status = { conditions: [{ type: 'Established', status: 'True' }], storedVersions: ['v1alpha1'] };
      if (host.peek(customResourceDefinitions, CRD.metadata))
        host.edit(customResourceDefinitions, CRD.metadata, { status });
      if (!isObedient) return;
      const manager = host.peek(deployments, MANAGER) as { spec?: { replicas?: number } } | undefined;
      if (manager?.spec?.replicas === 0) endPods(host, MANAGER.name);
      if (JSON.stringify(member.peek(daemonSets, AGENT)).includes('kosmos.io/stopped')) endPods(member, AGENT.name);
    };
  });

  afterEach(() => federation.close());

  const run = (line = '--yes', more: object = {}) => federation.run(`adopt ${line}`, { ...CRDS, ...more });

  function clusterOf(name: string, kubeconfig: string, metadata: ObjectMeta = {}): Cluster {
    const spec = { kubeconfig: Buffer.from(kubeconfig).toString('base64'), clusterTreeOptions: { enable: true } };
    return { metadata: { name, ...metadata }, spec };
  }

  /** What Kosmos in Go has left for one member with one pod that needs one ConfigMap. */
  function seedFormer(): void {
    const { host, member, memberServer } = federation;
    host.seed(
      clusters,
      clusterOf('member1', memberServer.kubeconfig(), { finalizers: ['kosmos.io/operator-controller'] }),
    );
    host.seed(nodes, {
      metadata: {
        ...{ name: 'kosmos-member1', labels: { 'kosmos.io/node': 'true' } },
        annotations: { 'kosmos-io/owned-by-cluster': 'member1' },
      },
    });
    host.seed(leases, {
      metadata: { namespace: 'kube-node-lease', name: 'kosmos-member1' },
      spec: { renewTime: 'then' },
    });
    host.seed(deployments, workload(MANAGER, { replicas: 2 }));
    host.seed(pods, { metadata: { namespace: NAMESPACE, name: 'manager-pod', labels: { app: MANAGER.name } } });
    member.seed(daemonSets, workload(AGENT, { template: { spec: {} } }));
    member.seed(pods, { metadata: { namespace: NAMESPACE, name: 'agent-pod', labels: { app: AGENT.name } } });
    host.seed(configMaps, { metadata: { ...SETTINGS, uid: 'settings-uid' } });
    member.seed(configMaps, { metadata: { ...SETTINGS, uid: 'copy-uid', annotations: GLOBAL } });
    const volumes = [{ name: 'settings', configMap: { name: 'settings' } }];
    const spec = { containers: [{ name: 'app', image: 'app:1' }], volumes };
    host.seed(pods, {
      metadata: { ...WEB, uid: 'web-uid', generation: 1 },
      spec: { ...spec, nodeName: 'kosmos-member1' },
    });
    member.seed(pods, { metadata: { ...WEB, uid: 'web-copy-uid', labels: { [POD_LABEL]: 'true' } }, spec });
  }

  function workload(metadata: ObjectMeta, spec: object): KubeObject {
    const selector = { matchLabels: { app: metadata.name } };
    return { metadata, spec: { selector, ...spec } } as KubeObject;
  }

  function endPods(client: FakeKubeClient, app: string): void {
    const ended = client.peekAll(pods).filter(({ metadata }) => metadata?.labels?.['app'] === app);
    for (const { metadata } of ended) client.erase(pods, { namespace: NAMESPACE, name: metadata!.name! });
  }

  const copy = (): Pod => federation.member.peek(pods, WEB)!;

  it('shows what is there, and changes nothing', async () => {
    const versions = () => [federation.host, federation.member].map(({ store }) => store.resourceVersion);
    const before = versions();
    const { code, out, err } = await run('--dry-run');
    expect(code, err).to.equal(0);
    expect(out)
      .to.match(/^host +Cluster +1 +0 +0 +0$/m)
      .and.to.match(/^member1 +Node +0 +1 +0 +0$/m)
      .and.to.match(/^member1 +ConfigMap +1 +0 +0 +0$/m)
      .and.to.match(/^member1 +Pod +1 +0 +0 +0$/m)
      .and.to.match(/^host +Deployment kosmos-system\/clustertree-cluster-manager$/m)
      .and.to.match(/^member1 +DaemonSet kosmos-system\/clusterlink-agent$/m);
    expect(versions()).to.deep.equal(before);
  });

  it('stops what runs, then marks what is there', async () => {
    const { code, err } = await run();
    expect(code, err).to.equal(0);
    expect(err)
      .to.match(/ok {3}Apply CRDs.*\n(.*\n)*ok {3}Stop Deployment .*\n(.*\n)*ok {3}Adopt what is in member1: 2 objects/)
      .and.to.contain('kosmosctl install');
    const manager = federation.host.peek(deployments, MANAGER);
    expect(manager).to.deep.include({ spec: { selector: { matchLabels: { app: MANAGER.name } }, replicas: 0 } });
    expect(manager?.metadata?.annotations).to.deep.equal({ 'kosmos.io/former-replicas': '2' });
    expect(JSON.stringify(federation.member.peek(daemonSets, AGENT))).to.contain('"kosmos.io/stopped":"true"');
    expect(copy().metadata?.annotations).to.deep.equal({ [HOST_UID_ANNOTATION]: 'web-uid' });
    expect(federation.member.peek(configMaps, SETTINGS)?.metadata?.annotations).to.deep.equal({
      ...{ [HOST_UID_ANNOTATION]: 'settings-uid', ...GLOBAL },
    });
    expect(federation.host.peek(clusters, { name: 'member1' })?.metadata?.finalizers).to.deep.equal([]);
    expect([
      ...federation.host.callsOf({ verb: 'delete' }),
      ...federation.member.callsOf({ verb: 'delete' }),
    ]).to.deep.equal([]);
  });

  it('keeps virtual nodes alive in the meantime', async () => {
    await run();
    const lease = federation.host.peek(leases, { namespace: 'kube-node-lease', name: 'kosmos-member1' });
    expect(lease?.spec?.renewTime).to.match(/^2026-01-01T/);
  });

  it('has nothing to do when it is run again', async () => {
    await run();
    const before = [federation.host, federation.member].map(({ store }) => store.resourceVersion);
    const { code, err } = await run();
    expect([code, err]).to.deep.equal([0, err]);
    expect(err)
      .to.contain('There is nothing to do.')
      .and.to.match(/member1 +Pod +0 +1 +0 +0/);
    expect([federation.host, federation.member].map(({ store }) => store.resourceVersion)).to.deep.equal(before);
  });

  it('reads no ConfigMaps or Secrets but their metadata', async () => {
    await run();
    for (const { requests } of [federation.hostServer, federation.memberServer]) {
      const lists = requests.filter(({ path }) => /\/(configmaps|secrets)$/.test(path));
      expect(lists).not.to.be.empty;
      for (const { headers } of lists) expect(headers['accept']).to.contain('PartialObjectMetadataList');
    }
  });

  it('moves a kubeconfig into a Secret before the Cluster names it', async () => {
    const { code, err } = await run('--yes --move-kubeconfigs');
    expect(code, err).to.equal(0);
    const { spec } = federation.host.peek(clusters, { name: 'member1' })!;
    const ref = { namespace: NAMESPACE, name: 'kosmos-member-member1' };
    expect(spec).not.to.have.property('kubeconfig');
    expect(spec.kubeconfigSecretRef).to.deep.equal(ref);
    const secret = federation.host.peek(secrets, ref);
    expect(secret?.metadata?.annotations).to.deep.equal({ 'kosmos.io/member-cluster-uid': MEMBER_UID });
    const kubeconfig = Buffer.from(secret?.data?.['kubeconfig'] ?? '', 'base64').toString();
    expect(kubeconfig).to.equal(federation.memberServer.kubeconfig());
    const order = federation.host.callsOf({ verb: 'patch' }).map(({ resource }) => resource);
    expect(order.indexOf('secrets')).to.be.lessThan(order.indexOf('clusters'));
    expect(err).not.to.contain('token-of-somebody');
    expect((await run('--yes --move-kubeconfigs')).err).to.contain('There is nothing to do.');
  });

  it('leaves a member alone that does not answer, with its kubeconfig, and takes over the others', async () => {
    federation.host.seed(clusters, clusterOf('away', UNANSWERED));
    const { code, err } = await run('--yes --move-kubeconfigs');
    expect(code, err).to.equal(3);
    expect(err).to.match(
      /^away +member +away +the API server of the away .* can't be reached: .*; nothing of it is taken over$/m,
    );
    expect(federation.host.peek(clusters, { name: 'away' })?.spec).to.have.property('kubeconfig');
    expect(copy().metadata?.annotations).to.have.property(HOST_UID_ANNOTATION);
    expect(err).not.to.contain('very-secret-token');
  });

  it('leaves a member alone that the manager would not serve', async () => {
    federation.member.paths.set('/version', JSON.stringify({ gitVersion: 'v1.27.2' }));
    const { code, out } = await run('--dry-run');
    expect(code).to.equal(3);
    expect(out).to.match(
      /^member1 +member +member1 +the member1 runs Kubernetes v1\.27\.2, which is not supported; nothing of it/m,
    );
    federation.host.paths.set('/version', JSON.stringify({ gitVersion: 'v1.27.2' }));
    const host = await run('--dry-run');
    expect([host.code, host.out]).to.deep.equal([1, '']);
    expect(host.err).to.contain('the host runs Kubernetes v1.27.2, which is not supported');
  });

  it('ends with a code of its own when something can not be adopted', async () => {
    federation.member.edit(pods, WEB, { metadata: { labels: { [POD_LABEL]: 'false' } } });
    const { code, out } = await run('--dry-run');
    expect(code).to.equal(3);
    expect(out).to.match(
      /Can't be adopted:\nCLUSTER .*\nmember1 +Pod +shop\/web-0 +the member's pod of that name belongs to somebody/,
    );
  });

  it('says what nobody serves any more, and what goes on', async () => {
    const [conversion] = FORMER_KINDS;
    federation.host.seed(conversion!.type, { metadata: { namespace: 'shop', name: 'convert' } });
    for (const name of ['kosmos-scheduler', 'coredns'])
      federation.host.seed(deployments, workload({ namespace: NAMESPACE, name }, {}));
    const annotations = { 'kosmos.io/service-import': 'ture' };
    federation.member.seed(services, { metadata: { namespace: 'shop', name: 'imported', annotations } });
    const { code, out } = await run('--dry-run');
    expect(code).to.equal(3);
    expect(out)
      .to.match(/^host +PodConvertPolicy +shop\/convert +pods that run keep what it did/m)
      .and.to.match(/^member1 +Service +1 Services +were imported from the host/m)
      .and.to.match(/^host +Deployment +kosmos-system\/kosmos-scheduler +goes on for pods that ask for it/m)
      .and.to.match(/^host +Deployment +kosmos-system\/coredns +goes on as it is/m);
    expect((await run('--dry-run --move-kubeconfigs')).out).to.match(/coredns +reads the kubeconfigs in Clusters/);
  });

  it('tells a machine all of it', async () => {
    const { code, out } = await run('--dry-run -o json');
    expect(code).to.equal(0);
    const { running, findings } = JSON.parse(out) as { running: readonly object[]; findings: readonly object[] };
    expect(running).to.deep.include({ cluster: 'host', component: `Deployment ${NAMESPACE}/${MANAGER.name}` });
    expect(findings).to.deep.include({ cluster: 'member1', kind: 'Pod', name: 'shop/web-0', outcome: 'adopt' });
    expect(out).not.to.contain('token-of-somebody');
  });

  it('names what has changed while it worked', async () => {
    const gone = new ApiError({ code: 404, reason: 'NotFound', message: 'gone' });
    federation.host.fail({ verb: 'patch', type: pods, name: 'web-0', error: gone });
    const { code, err } = await run();
    expect(code).to.equal(3);
    expect(err).to.contain('This has changed in the meantime; run the command again: Pod shop/web-0\n');
    expect((await run()).code).to.equal(0);
    expect(copy().metadata?.annotations).to.have.property(HOST_UID_ANNOTATION);
  });

  it('goes on at the end of a run that broke off', async () => {
    const failure = new ApiError({ code: 403, reason: 'Forbidden', message: 'no' });
    federation.member.fail({ verb: 'patch', type: pods, error: failure });
    expect((await run()).code).to.equal(1);
    expect(federation.host.peek(deployments, MANAGER)?.metadata?.annotations).to.have.property(
      'kosmos.io/former-replicas',
      '2',
    );
    const { code, err } = await run();
    expect(code, err).to.equal(0);
    expect(copy().metadata?.annotations).to.have.property(HOST_UID_ANNOTATION);
    expect(federation.host.peek(deployments, MANAGER)?.metadata?.annotations).to.have.property(
      'kosmos.io/former-replicas',
      '2',
    );
  });

  it('marks nothing while a component still runs', async () => {
    isObedient = false;
    const { code, err } = await run('--yes --wait-time 5');
    expectMistake('component-stays', { code, stderr: err });
    expect(copy().metadata?.annotations).to.equal(undefined);
  });

  it('stops nothing before it is agreed to, nor when CRDs would go back', async () => {
    const refused = await run('-n kosmos-system');
    expectMistake('nobody-agrees-to-adoption', { code: refused.code, stderr: refused.err });
    federation.host.seed(customResourceDefinitions, { ...CRD, status: { storedVersions: ['v1beta1'] } } as KubeObject);
    const older = await run();
    expectMistake('stored-version', { code: older.code, stderr: older.err });
    expect(federation.host.callsOf({ verb: 'patch', type: deployments })).to.deep.equal([]);
  });

  it('says where there is nothing to adopt', async () => {
    const error = new ApiError({ code: 404, reason: 'NotFound', message: 'no clusters here' });
    federation.host.fail({ verb: 'list', type: clusters, error });
    const { code, err } = await run('--dry-run');
    expectMistake('nothing-to-adopt', { code, stderr: err });
  });

  it('comes before an installation, which refuses to run beside Kosmos in Go', async () => {
    const refused = await federation.run('install -m clustertree --wait-time 0', CRDS);
    expectMistake('former-runs', { code: refused.code, stderr: refused.err });
    await run();
    const { code, err } = await federation.run('install -m clustertree --wait-time 0', CRDS);
    expect(code, err).to.equal(0);
    expect((await run()).err).not.to.contain('kosmosctl install');
  });
});

import { expect } from 'chai';
import type { ClusterCondition } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { nodes, secrets } from '../../../../src/kube/resource.js';
import { clusterRoles, customResourceDefinitions, daemonSets, deployments } from '../../../../src/kosmosctl/objects.js';
import { CliFederation, clusterOf, NAMESPACE } from '../../../support/cli-federation.js';
import { expectMistake } from '../../../support/mistakes.js';

const CRD = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
const CRDS = { crds: [{ ...CRD, metadata: { name: 'nodeconfigs.kosmos.io' }, spec: {} }] };
const JOIN = 'join cluster --name m --kubeconfig /member.yaml -y';
const AGENTS = { namespace: 'kosmos-member', name: 'kosmos-agent' };

describe('kosmosctl join cluster, with its network', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
    federation.elect();
  });

  afterEach(() => federation.close());

  /** A manager that says this of the network. */
  function playManager(status: 'True' | 'False', reason: string, message = ''): void {
    const lastTransitionTime = '2026-01-01T00:00:00Z';
    const condition: ClusterCondition = {
      type: 'ClusterLinkReady',
      ...{ status, reason, message, lastTransitionTime },
    };
    federation.clock.meanwhile = () => {
      if (federation.host.peek(clusters, { name: 'm' }) === undefined) return;
      const clusterLinkStatus = { nodes: { ready: 2, total: 2, summary: '2/2' }, gateway: 'n1' };
      federation.host.edit(clusters, { name: 'm' }, { status: { conditions: [condition], clusterLinkStatus } });
    };
  }

  function install(args: readonly string[]): void {
    const containers = [{ name: 'manager', image: 'r.example/kosmos:7', args }];
    const metadata = { namespace: NAMESPACE, name: 'kosmos-manager' };
    federation.host.seed(deployments, { metadata, spec: { template: { spec: { containers } } } } as never);
  }

  const present = (): readonly unknown[] => [
    federation.host.peek(clusters, { name: 'm' }),
    // The others belong to it, and go with it.
    federation.member.peekAll(clusterRoles).find(({ metadata }) => metadata?.ownerReferences === undefined),
  ];

  it('starts agents before it registers the member, and waits until the network is linked', async () => {
    playManager('True', 'Linked');
    const { code, err } = await federation.run(`${JOIN} --enable-link --network-type p2p --cni flannel`, CRDS);
    expect(code, err).to.equal(0);
    const steps = [...err.matchAll(/^ok {3}([^:(]+?)(?::| \()/gm)].map(([, title]) => title);
    expect(steps).to.deep.equal([
      'Make an identity in the member',
      'Keep its token in the host',
      'Start agents on its nodes',
      'Register the member',
      'Wait until the network of m is linked',
    ]);
    expect(err).to.contain('linked: 2 nodes, gateway n1').and.contain('kubectl get clusternodes');
    expect(federation.host.peek(clusters, { name: 'm' })?.spec).to.deep.include({
      clusterTreeOptions: { enable: false },
      clusterLinkOptions: { enable: true, cni: 'flannel', networkType: 'p2p', ipFamily: 'ipv4' },
    });
    expect(federation.member.peek(customResourceDefinitions, { name: 'nodeconfigs.kosmos.io' })).not.to.equal(
      undefined,
    );
  });

  it('does the same again without changing anything', async () => {
    playManager('True', 'Linked');
    await federation.run(`${JOIN} --enable-link`, CRDS);
    const before = federation.member.peek(daemonSets, AGENTS);
    expect((await federation.run(`${JOIN} --enable-link`, CRDS)).code).to.equal(0);
    expect(federation.member.peek(daemonSets, AGENTS)).to.deep.equal(before);
  });

  it('takes all that the installation has, and its image, unless told otherwise', async () => {
    install(['--modules=clustertree,clusterlink']);
    await federation.run(`${JOIN} --wait-time 0`, CRDS);
    expect(federation.host.peek(clusters, { name: 'm' })?.spec).to.include.keys('clusterLinkOptions');
    expect(JSON.stringify(federation.member.peek(daemonSets, AGENTS))).to.contain('"image":"r.example/kosmos:7"');
    await federation.run(`${JOIN} --wait-time 0 --image other/kosmos:8`, CRDS);
    expect(JSON.stringify(federation.member.peek(daemonSets, AGENTS))).to.contain('"image":"other/kosmos:8"');
  });

  it('makes no agents where the installation links no networks, and says so when they are wanted', async () => {
    install(['--modules=clustertree']);
    await federation.run(`${JOIN} --wait-time 0`, CRDS);
    expect(federation.member.peekAll(daemonSets)).to.deep.equal([]);
    const { code, err } = await federation.run(`${JOIN} --enable-link`, CRDS);
    expect(code).to.equal(2);
    expect(err).to.contain('run without clusterlink').and.contain('kosmosctl install --module all');
  });

  it('shows what agents may do before it is granted', async () => {
    const { code, err } = await federation.run(`${JOIN.replace(' -y', '')} --enable-all --cni cilium`, CRDS);
    expect(code).to.equal(2);
    expect(err).to.match(/nodeconfigs\.kosmos\.io +list watch create patch delete/);
    expect(err).to.contain('ciliumnodes.cilium.io').and.not.contain('ippools');
    expect(err)
      .to.contain('Agents run on all nodes')
      .and.match(/nodeconfigs\/status\.kosmos\.io +patch/)
      .and.match(/in their own namespace, kosmos-member:\n\n.*\nleases\.coordination\.k8s\.io +create patch/);
    expect(present()).to.deep.equal([undefined, undefined]);
  });

  describe('with an image that is not for everybody', () => {
    const PULL = `${JOIN} --enable-link --wait-time 0 --image-pull-secret registry`;
    const IN_HOST = { namespace: NAMESPACE, name: 'registry' };
    const IN_MEMBER = { namespace: 'kosmos-member', name: 'registry' };
    const TYPE = 'kubernetes.io/dockerconfigjson';
    const data = (text: string): { readonly '.dockerconfigjson': string } => ({ '.dockerconfigjson': text });
    const pullSecretsOf = (object: unknown): unknown =>
      (object as { spec: { template: { spec: { imagePullSecrets?: unknown } } } }).spec.template.spec.imagePullSecrets;

    it("gives agents a copy of the host's Secret, which goes when the member leaves", async () => {
      federation.host.seed(secrets, { metadata: IN_HOST, type: TYPE, data: data('AAAA') });
      const { code, err } = await federation.run(PULL, CRDS);
      expect(code, err).to.equal(0);
      const copy = federation.member.peek(secrets, IN_MEMBER);
      expect(copy).to.deep.include({ type: TYPE, data: data('AAAA') });
      expect(copy?.metadata?.ownerReferences?.[0]).to.include({ kind: 'ClusterRole' });
      expect(copy?.metadata?.labels).to.include({ 'kosmos.io/joined-cluster': 'm' });
      expect(pullSecretsOf(federation.member.peek(daemonSets, AGENTS))).to.deep.equal([{ name: 'registry' }]);
      expect(err).not.to.contain('AAAA');
    });

    it('brings a changed one over when it is run again', async () => {
      federation.host.seed(secrets, { metadata: IN_HOST, type: TYPE, data: data('AAAA') });
      await federation.run(PULL, CRDS);
      federation.host.edit(secrets, IN_HOST, { data: data('BBBB') });
      expect((await federation.run(PULL, CRDS)).code).to.equal(0);
      expect(federation.member.peek(secrets, IN_MEMBER)?.data).to.deep.equal(data('BBBB'));
    });

    it('leaves one alone that the member has already, and needs none in the host then', async () => {
      federation.member.seed(secrets, { metadata: IN_MEMBER, type: TYPE, data: data('CCCC') });
      expect((await federation.run(PULL, CRDS)).code).to.equal(0);
      expect(federation.member.peek(secrets, IN_MEMBER)?.data).to.deep.equal(data('CCCC'));
      expect(pullSecretsOf(federation.member.peek(daemonSets, AGENTS))).to.deep.equal([{ name: 'registry' }]);
    });

    it('changes nothing when the Secret is nowhere', async () => {
      const ended = await federation.run(PULL, CRDS);
      expectMistake('no-pull-secret', { code: ended.code, stderr: ended.err });
      expect(present()).to.deep.equal([undefined, undefined]);
    });

    it('changes nothing when the Secret holds something else', async () => {
      federation.host.seed(secrets, { metadata: IN_HOST, type: 'Opaque', data: { password: 'DDDD' } });
      const ended = await federation.run(PULL, CRDS);
      expectMistake('no-registry-secret', { code: ended.code, stderr: ended.err });
      expect(ended.err).not.to.contain('DDDD');
      expect(present()).to.deep.equal([undefined, undefined]);
    });

    it('asks for no Secret where there are no agents', async () => {
      const ended = await federation.run(PULL.replace('--enable-link', '--enable-tree'), CRDS);
      expect(ended.code, ended.err).to.equal(0);
      expect(federation.member.peek(secrets, IN_MEMBER)).to.equal(undefined);
    });
  });

  for (const [reason, cure] of [
    ['NodesNotDetected', 'kubectl -n kosmos-member get pods -l app.kubernetes.io/component=agent'],
    ['PlanProblem', '--global-cidr'],
    ['NameConflict', 'join under another name'],
    ['WriteFailed', 'Mend what the API server says'],
    ['CIDRsMissing', '--cni'],
    ['NoGateway', 'kosmos.io/exclude'],
  ] as const) {
    it(`takes everything back when the network says ${reason}, and says what to do`, async () => {
      playManager('False', reason, 'why not');
      const { code, err } = await federation.run(`${JOIN} --enable-link --wait-time 2`, CRDS);
      expect(code).to.equal(4);
      expect(err).to.contain(`${reason}: why not`).and.contain(cure);
      expect(present()).to.deep.equal([undefined, undefined]);
    });
  }

  describe('before it changes anything', () => {
    const linked = (cidr: string): void =>
      void federation.host.seed(
        clusters,
        clusterOf('west', undefined, {
          spec: { clusterLinkOptions: {} },
          status: { clusterLinkStatus: { podCIDRs: [cidr] } },
        }),
      );

    beforeEach(() => {
      federation.member.seed(nodes, { metadata: { name: 'n1' }, spec: { podCIDRs: ['10.244.1.0/24'] } });
    });

    it('refuses ranges that another Cluster has, naming both and the flag that helps', async () => {
      linked('10.244.0.0/16');
      const { code, err } = await federation.run(`${JOIN} --enable-link`, CRDS);
      expect(code).to.equal(1);
      expect(err).to.contain('10.244.1.0/24 of the member overlaps with 10.244.0.0/16 of the Cluster west');
      expect(err).to.contain('--global-cidr').and.contain('globalCIDRsMap of west');
      expect(present()).to.deep.equal([undefined, undefined]);
      const mapped = `${JOIN} --enable-link --wait-time 0 --global-cidr 10.244.0.0/16=242.1.0.0/16`;
      expect((await federation.run(mapped, CRDS)).code).to.equal(0);
      expect(federation.host.peek(clusters, { name: 'm' })?.spec.clusterLinkOptions?.globalCIDRsMap).to.deep.equal({
        '10.244.0.0/16': '242.1.0.0/16',
      });
    });

    it('minds no such range when only pods of the host are to run there', async () => {
      linked('10.244.0.0/16');
      expect((await federation.run(`${JOIN} --enable-tree --wait-time 0`, CRDS)).code).to.equal(0);
    });

    it('refuses a network that another federation has linked', async () => {
      const labels = { 'kosmos.io/joined-host': 'another', 'kosmos.io/joined-cluster': 'x' };
      federation.member.seed(daemonSets, { metadata: { ...AGENTS, labels } });
      const ended = await federation.run(`${JOIN} --enable-link`, CRDS);
      expectMistake('linked-elsewhere', { code: ended.code, stderr: ended.err });
    });
  });
});

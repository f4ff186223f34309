import { expect } from 'chai';
import { ApiError } from '../../../../src/kube/api-error.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { nodes, pods, secrets, serviceAccounts } from '../../../../src/kube/resource.js';
import { identityLabels, identityName } from '../../../../src/kosmosctl/join/identity.js';
import { clusterRoleBindings, clusterRoles } from '../../../../src/kosmosctl/objects.js';
import { CliFederation, clusterOf, HOST_UID, NAMESPACE, virtualNode } from '../../../support/cli-federation.js';

const OWNER = { cluster: 'm', hostUid: HOST_UID, namespace: 'kosmos-member' };
const IDENTITY = identityName(OWNER);
const SECRET = { namespace: NAMESPACE, name: 'kosmos-member-m' };
const FINALIZER = 'kosmos.io/cluster-manager';

describe('kosmosctl unjoin cluster', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
    federation.member.paths.set('/apis', '{"groups":[]}');
    federation.member.paths.set('/api/v1', '{"groupVersion":"v1","resources":[]}');
  });

  afterEach(() => federation.close());

  /** A member as joining leaves it. */
  function seedMember(kubeconfig = federation.memberServer.kubeconfig()): void {
    federation.host.seed(
      clusters,
      clusterOf('m', ['True', 'AllWell'], { metadata: { name: 'm', finalizers: [FINALIZER] } }),
    );
    const data = { kubeconfig: Buffer.from(kubeconfig).toString('base64') };
    federation.host.seed(secrets, { metadata: SECRET, data });
    const metadata = { name: IDENTITY, labels: identityLabels(OWNER) };
    federation.member.seed(clusterRoles, { metadata });
  }

  /** A manager that takes the member out as soon as it sees that it is to leave. */
  function playManager(): void {
    federation.clock.meanwhile = () => {
      if (federation.host.peek(clusters, { name: 'm' })?.metadata?.deletionTimestamp === undefined) return;
      federation.host.edit(
        clusters,
        { name: 'm' },
        { metadata: { '$deleteFromPrimitiveList/finalizers': [FINALIZER] } },
      );
    };
  }

  const away = (): string => federation.memberServer.kubeconfig().replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1');

  it('waits for the manager, removes the identity and forgets the token', async () => {
    seedMember();
    playManager();
    const { code, out, err } = await federation.run('unjoin cluster m');
    expect([code, out]).to.deep.equal([0, '']);
    expect(err).to.match(
      /ok {3}Take its pods.*\nok {3}Remove the identity.*\nok {3}Forget its token.*\n\nThe member m has left\.\n$/,
    );
    expect(federation.host.peekAll(clusters)).to.deep.equal([]);
    expect(federation.host.peekAll(secrets)).to.deep.equal([]);
    expect(federation.member.peekAll(clusterRoles)).to.deep.equal([]);
  });

  it('has nothing to do for a member that there is not, and changes nothing', async () => {
    const { code, err } = await federation.run('unjoin cluster m');
    expect(code).to.equal(0);
    expect(err).to.contain('there is no member m; nothing to do\n');
    expect(federation.host.callsOf({ verb: 'delete' })).to.deep.equal([]);
  });

  it('goes on where an earlier run was interrupted', async () => {
    seedMember();
    federation.host.erase(clusters, { name: 'm' });
    const { code, err } = await federation.run('unjoin cluster m');
    expect(code).to.equal(0);
    expect(err).to.contain('Take its pods and virtual nodes out: was done before');
    expect(federation.host.peekAll(secrets)).to.deep.equal([]);
    expect(federation.member.peekAll(clusterRoles)).to.deep.equal([]);
  });

  it('keeps token and identity, and says how far it is, when the manager does not get ready in time', async () => {
    seedMember();
    const { status } = clusterOf('m', ['False', 'Leaving', '3 pods are still there']);
    federation.host.edit(clusters, { name: 'm' }, { status });
    const { code, err } = await federation.run('unjoin cluster m --wait-time 2');
    expect(code).to.equal(4);
    expect(err).to.contain('Cluster m: not within 2 s; 3 pods are still there\nWait longer with --wait-time, or');
    expect(federation.host.peekAll(secrets)).to.have.lengthOf(1);
    expect(federation.member.peekAll(clusterRoles)).to.have.lengthOf(1);
  });

  it('says that no manager does anything', async () => {
    seedMember();
    const { err } = await federation.run('unjoin cluster m --wait-time 1');
    expect(err).to.contain('no manager has begun to take it out');
  });

  for (const code of [401, 403]) {
    it(`takes a token that gets ${code} for one whose rights were removed before`, async () => {
      seedMember();
      playManager();
      federation.member.fail({ verb: 'delete', error: new ApiError({ code, reason: 'Forbidden' }), times: 9 });
      const { code: exitCode, err } = await federation.run('unjoin cluster m');
      expect(exitCode).to.equal(0);
      expect(err).to.contain('Remove the identity from the member: was done before');
      expect(federation.host.peekAll(secrets)).to.deep.equal([]);
    });
  }

  it('does not take it for that when the kubeconfig was given', async () => {
    seedMember();
    playManager();
    federation.member.fail({ verb: 'delete', error: new ApiError({ code: 403, reason: 'Forbidden' }), times: 9 });
    const { code, err } = await federation.run('unjoin cluster m --kubeconfig /member.yaml');
    expect(code).to.equal(1);
    expect(err).to.contain('refuses').and.contain('or leave the identity there with --force');
    expect(federation.host.peekAll(secrets)).to.have.lengthOf(1);
  });

  it('keeps the token of a member that is away, so that the command can be run again', async () => {
    seedMember(away());
    playManager();
    const { code, err } = await federation.run('unjoin cluster m');
    expect(code).to.equal(1);
    expect(err).to.contain("can't be reached").and.contain('Give a kubeconfig of the member with --kubeconfig');
    expect(federation.host.peekAll(secrets)).to.have.lengthOf(1);
  });

  describe('--force', () => {
    it('leaves the identity in a member that is away, and says how to remove it', async () => {
      seedMember(away());
      playManager();
      const { code, err } = await federation.run('unjoin cluster m --force');
      expect(code).to.equal(3);
      expect(err).to.contain(`kubectl delete clusterrole ${IDENTITY}\n`);
      expect(federation.host.peekAll(secrets)).to.deep.equal([]);
      expect(federation.host.peekAll(clusters)).to.deep.equal([]);
    });

    it('asks the manager not to wait for the member', async () => {
      seedMember();
      playManager();
      await federation.run('unjoin cluster m --force');
      const [patch] = federation.host.callsOf({ verb: 'patch', type: clusters });
      expect(patch?.body).to.deep.equal({ metadata: { annotations: { 'kosmos.io/cleanup-timeout': '5s' } } });
    });

    it('does what no manager does: removes virtual nodes of the member and its own finalizer', async () => {
      seedMember();
      federation.host.edit(clusters, { name: 'm' }, { metadata: { finalizers: ['others.example/x'] } });
      federation.host.seed(nodes, virtualNode('kosmos-m', 'm', 'Unknown'));
      federation.host.seed(nodes, virtualNode('kosmos-other', 'other'));
      const { code, err } = await federation.run('unjoin cluster m --force');
      expect(code).to.equal(3);
      expect(err).to.contain('by force, without a manager').and.contain('pods, and what they refer to');
      expect(federation.host.peekAll(nodes).map(({ metadata }) => metadata?.name)).to.deep.equal(['kosmos-other']);
      expect(federation.host.peek(clusters, { name: 'm' })?.metadata?.finalizers).to.deep.equal(['others.example/x']);
    });
  });

  describe('with a kubeconfig of the member', () => {
    const LINE = 'unjoin cluster m --kubeconfig /member.yaml';

    it('removes the identity of a member that the host has forgotten', async () => {
      federation.member.seed(clusterRoles, { metadata: { name: IDENTITY, labels: identityLabels(OWNER) } });
      expect((await federation.run(LINE)).code).to.equal(0);
      expect(federation.member.peekAll(clusterRoles)).to.deep.equal([]);
    });

    it('waits until all of the identity is gone', async () => {
      seedMember();
      const metadata = { name: IDENTITY, labels: identityLabels(OWNER) };
      federation.member.seed(clusterRoleBindings, { metadata });
      let sleeps = 0;
      federation.clock.meanwhile = () => {
        sleeps += 1;
        if (federation.host.peek(clusters, { name: 'm' }) !== undefined) federation.host.erase(clusters, { name: 'm' });
        if (sleeps === 4) federation.member.erase(clusterRoleBindings, { name: IDENTITY });
      };
      expect((await federation.run(LINE)).code).to.equal(0);
      expect(sleeps).to.equal(4);
    });

    it('says what stays of the identity', async () => {
      seedMember();
      playManager();
      const metadata = { namespace: 'kosmos-member', name: IDENTITY, labels: identityLabels(OWNER) };
      federation.member.seed(serviceAccounts, { metadata });
      const { code, err } = await federation.run(LINE);
      expect(code).to.equal(4);
      expect(err).to.contain(`identity: not within 60 s; ${IDENTITY} is still there`);
    });

    describe('--verify', () => {
      beforeEach(() => {
        const resources = [{ name: 'pods', kind: 'Pod', namespaced: true, verbs: ['list'] }];
        federation.member.paths.set('/api/v1', JSON.stringify({ groupVersion: 'v1', resources }));
        seedMember();
        playManager();
      });

      it('finds nothing where nothing is left', async () => {
        federation.member.seed(pods, { metadata: { namespace: 'x', name: 'of-others' } });
        const { code, err } = await federation.run(`${LINE} --verify`);
        expect(code).to.equal(0);
        expect(err).to.contain('Verify that nothing is left in the member: nothing');
      });

      it('names what is left of this Cluster, and not what other Clusters have there', async () => {
        const labels = (cluster: string): Record<string, string> => ({
          'kosmos.io/host-cluster': HOST_UID,
          'kosmos.io/cluster': cluster,
        });
        federation.member.seed(pods, { metadata: { namespace: 'x', name: 'left', labels: labels('m') } });
        federation.member.seed(pods, { metadata: { namespace: 'x', name: 'theirs', labels: labels('other') } });
        const { code, err } = await federation.run(`${LINE} --verify`);
        expect(code).to.equal(3);
        expect(err).to.contain('still there: Pod x/left\n').and.not.contain('theirs');
      });
    });
  });
});

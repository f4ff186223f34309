import { expect } from 'chai';
import { ApiError } from '../../../../src/kube/api-error.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { leases, namespaces, nodes, secrets, serviceAccounts, tokenRequests } from '../../../../src/kube/resource.js';
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '../../../../src/kosmosctl/objects.js';
import { identityName } from '../../../../src/kosmosctl/join/identity.js';
import { tokenOf } from '../../../../src/kube/token-kubeconfig.js';
import {
  CliFederation,
  clusterOf,
  HOST_UID,
  MEMBER_UID,
  NAMESPACE,
  virtualNode,
} from '../../../support/cli-federation.js';

const JOIN = 'join cluster --name m --kubeconfig /member.yaml -y';
const IDENTITY = identityName({ cluster: 'm', hostUid: HOST_UID });
const SECRET = { namespace: NAMESPACE, name: 'kosmos-member-m' };

describe('kosmosctl join cluster', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
    federation.elect();
  });

  afterEach(() => federation.close());

  /** A manager that finds the member ready as soon as it looks. */
  function playManager(): void {
    federation.clock.meanwhile = () => {
      if (federation.host.peek(clusters, { name: 'm' }) === undefined) return;
      const { status } = clusterOf('m', ['True', 'AllWell']);
      const leafs = { leafNodeItems: [{ leafNodeName: 'kosmos-m' }] };
      federation.host.edit(clusters, { name: 'm' }, { status: { ...status, clusterTreeStatus: leafs } });
      if (federation.host.peek(nodes, { name: 'kosmos-m' }) === undefined)
        federation.host.seed(nodes, virtualNode('kosmos-m', 'm'));
    };
  }

  const kubeconfig = (): string =>
    Buffer.from(federation.host.peek(secrets, SECRET)?.data?.['kubeconfig'] ?? '', 'base64').toString();
  const written = (): readonly string[] =>
    [federation.host, federation.member].flatMap(({ calls }) =>
      calls
        .filter(({ verb }) => ['create', 'update', 'patch', 'delete'].includes(verb))
        .map(({ resource }) => resource),
    );
  /** All that joining makes. */
  const left = (): readonly string[] => [
    ...[clusterRoles, clusterRoleBindings, roles, roleBindings, serviceAccounts].flatMap((type) =>
      federation.member.peekAll(type).map(() => type.kind),
    ),
    ...[secrets, clusters].flatMap((type) => federation.host.peekAll(type as typeof secrets).map(() => type.kind)),
  ];

  it('makes an identity, keeps its token, registers the member and waits for it', async () => {
    playManager();
    const { code, out, err } = await federation.run(JOIN);
    expect([code, out]).to.deep.equal([0, '']);
    const steps = [...err.matchAll(/^ok {3}([^:(]+?)(?::| \()/gm)].map(([, title]) => title);
    expect(steps).to.deep.equal([
      'Make an identity in the member',
      'Keep its token in the host',
      'Register the member',
      'Wait until m is ready',
    ]);
    expect(err).to.contain('The member m has joined.').and.contain('kosmosctl get nodes --cluster m');
    expect(federation.host.peek(clusters, { name: 'm' })?.spec).to.deep.equal({
      kubeconfigSecretRef: { name: 'kosmos-member-m', namespace: NAMESPACE },
      clusterTreeOptions: { enable: true },
    });
    expect(federation.host.peek(secrets, SECRET)?.metadata).to.deep.include({
      labels: { 'kosmos.io/member-credential': 'true', 'app.kubernetes.io/managed-by': 'kosmosctl' },
      annotations: { 'kosmos.io/member-cluster-uid': MEMBER_UID },
    });
  });

  it('asks for a token of a week, for the account that it has made', async () => {
    await federation.run(`${JOIN} --wait-time 0`);
    const [call] = federation.member.callsOf({ verb: 'create', type: tokenRequests, subresource: 'token' });
    expect(call?.body).to.deep.include({
      metadata: { namespace: 'kosmos-member', name: IDENTITY },
      spec: { audiences: [], expirationSeconds: 604_800 },
    });
    expect(tokenOf(kubeconfig())).to.match(/^e30\..+\.unsigned$/);
  });

  it('neither prints the token nor keeps the kubeconfig that it was given', async () => {
    playManager();
    const { err } = await federation.run(JOIN);
    expect(kubeconfig()).not.to.contain('token-of-somebody');
    for (const secret of [tokenOf(kubeconfig()) ?? 'none', 'token-of-somebody']) expect(err).not.to.contain(secret);
  });

  it('gives the manager the address of another kubeconfig, but no other credential of it', async () => {
    const inner = federation.memberServer.kubeconfig('inner-token').replace('127.0.0.1', 'localhost');
    const line = `${JOIN} --wait-time 0 --inner-kubeconfig /inner.yaml`;
    expect((await federation.run(line, { files: { '/inner.yaml': inner } })).code).to.equal(0);
    expect(kubeconfig()).to.contain('http://localhost:').and.not.contain('inner-token');
  });

  it('passes on what was wished for the Cluster', async () => {
    federation.member.seed(nodes, { metadata: { name: 'w-1' } });
    federation.member.seed(nodes, { metadata: { name: 'w-2', labels: { 'kosmos.io/join': 'true' } } });
    const line = `${JOIN} --wait-time 0 --leaf-model one-to-one --kubelet-stats --host-api-server [fd00::1]:6443`;
    expect((await federation.run(line)).code).to.equal(0);
    expect(federation.host.peek(clusters, { name: 'm' })?.spec.clusterTreeOptions).to.deep.equal({
      enable: true,
      leafModels: [{ nodeSelector: { nodeName: 'w-2' } }],
      statsSource: 'Kubelets',
      hostAPIServer: '[fd00::1]:6443',
    });
  });

  it('changes nothing when it is run again, but the token', async () => {
    playManager();
    await federation.run(JOIN);
    const before = federation.host.peek(clusters, { name: 'm' });
    const token = tokenOf(kubeconfig());
    const objects = left();
    expect((await federation.run(JOIN)).code).to.equal(0);
    expect(federation.host.peek(clusters, { name: 'm' })?.metadata).to.deep.equal(before?.metadata);
    expect(left()).to.deep.equal(objects);
    expect(tokenOf(kubeconfig())).not.to.equal(token);
  });

  it('makes a namespace that goes with the identity, and leaves one alone that was there', async () => {
    await federation.run(`${JOIN} --wait-time 0`);
    const made = federation.member.peek(namespaces, { name: 'kosmos-member' });
    expect(made?.metadata?.ownerReferences?.[0]).to.include({ kind: 'ClusterRole', name: IDENTITY });
    federation.member.seed(namespaces, { metadata: { name: 'theirs' } });
    await federation.run(`${JOIN} --wait-time 0 --member-namespace theirs`);
    expect(federation.member.peek(namespaces, { name: 'theirs' })?.metadata?.ownerReferences).to.equal(undefined);
    expect(federation.member.peekAll(serviceAccounts).map(({ metadata }) => metadata?.namespace)).to.include('theirs');
  });

  describe('before it grants rights', () => {
    const line = JOIN.replace(' -y', '');

    it('shows them and wants --yes where nobody can answer', async () => {
      const { code, err } = await federation.run(line);
      expect(code).to.equal(2);
      expect(err).to.contain('The manager gets these rights in the member m:').and.contain('Add --yes.');
      expect(err).to.match(/^pods +get list watch create patch delete +runs pods of the host$/m);
      expect(written()).to.deep.equal([]);
    });

    it('shows the dangerous ones only where they are asked for', async () => {
      expect((await federation.run(line)).err).not.to.contain('nodes/proxy');
      expect((await federation.run(`${line} --kubelet-stats`)).err).to.contain('nodes/proxy');
      expect((await federation.run(`${line} --keep-namespaces`)).err).not.to.match(/^\*/m);
    });
  });

  describe('refuses, before it changes anything,', () => {
    const table: readonly (readonly [string, (parts: CliFederation) => void, number, string])[] = [
      [
        'a host without Kosmos',
        ({ host }) =>
          host.fail({ verb: 'list', type: clusters, error: new ApiError({ code: 404, reason: 'NotFound' }) }),
        1,
        'Kosmos is not installed there',
      ],
      [
        'a host that no manager leads',
        ({ host }) => host.erase(leases, { namespace: NAMESPACE, name: 'kosmos-manager' }),
        4,
        'no manager of Kosmos leads in the namespace kosmos-system',
      ],
      [
        'a member that is too old',
        ({ member }) => member.paths.set('/version', '{"gitVersion":"v1.19.3"}'),
        1,
        'the member runs Kubernetes v1.19.3, which is not supported',
      ],
      [
        'somebody who may not give rights there',
        ({ memberServer }) => (memberServer.allows = ({ verb }) => verb !== 'escalate'),
        1,
        'may not escalate clusterroles',
      ],
      [
        'a Cluster that is just leaving',
        ({ host }) => {
          const metadata = { name: 'm', deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x'] };
          host.seed(clusters, clusterOf('m', undefined, { metadata }));
        },
        1,
        'the Cluster m is just leaving',
      ],
      [
        'a Cluster that somebody else has made',
        ({ host }) => host.seed(clusters, { metadata: { name: 'm' }, spec: {} }),
        1,
        'there is a Cluster m, which was not joined by this command',
      ],
      [
        'a name that belongs to another member',
        ({ host }) => {
          host.seed(clusters, clusterOf('m'));
          const annotations = { 'kosmos.io/member-cluster-uid': 'another' };
          host.seed(secrets, { metadata: { ...SECRET, annotations }, data: {} });
        },
        1,
        'the name m belongs to another member',
      ],
    ];
    for (const [what, prepare, code, said] of table) {
      it(what, async () => {
        prepare(federation);
        const result = await federation.run(JOIN);
        expect(result.code).to.equal(code);
        expect(result.err).to.contain(`error: `).and.contain(said);
        expect(written()).to.deep.equal([]);
      });
    }

    it('a member that is the host itself', async () => {
      const result = await federation.run('join cluster --name m --kubeconfig /host.yaml -y');
      expect([result.code, written()]).to.deep.equal([2, []]);
      expect(result.err).to.contain('host and member are the same cluster');
    });

    it('names that are too long, however they are given', async () => {
      const name = 'c'.repeat(57);
      for (const line of [`join cluster ${name}`, `join cluster --name ${name}`]) {
        const result = await federation.run(`${line} --kubeconfig /member.yaml -y`);
        expect([result.code, result.err.includes('Use at most 56')]).to.deep.equal([2, true]);
      }
      expect(written()).to.deep.equal([]);
    });

    it('two names that differ', async () => {
      const result = await federation.run('join cluster a --name b --kubeconfig /member.yaml -y');
      expect([result.code, written()]).to.deep.equal([2, []]);
      expect(result.err).to.contain('two names: a and b');
    });

    for (const address of ['api.example', 'https://api.example:6443', 'fd00::1:6443', 'api.example:70000']) {
      it(`${address} as address of the host's API server`, async () => {
        const result = await federation.run(`${JOIN} --host-api-server ${address}`);
        expect([result.code, written()]).to.deep.equal([2, []]);
        expect(result.err).to.contain('--host-api-server: ');
      });
    }
  });

  describe('takes back what it has done', () => {
    const failure = (): ApiError => new ApiError({ code: 500, reason: 'InternalError', message: 'broken' });

    it('when the token can not be kept', async () => {
      federation.host.fail({ verb: 'patch', type: secrets, error: failure(), times: 9 });
      const { code, err } = await federation.run(JOIN);
      expect(code).to.equal(1);
      expect(err).to.contain('Keep its token in the host: ');
      expect(federation.member.peekAll(clusterRoles)).to.deep.equal([]);
      expect(federation.host.peekAll(secrets)).to.deep.equal([]);
    });

    it('when the answer about the Cluster is lost after it was made', async () => {
      federation.host.fail({ verb: 'patch', type: clusters, error: failure(), when: 'after' });
      const { code } = await federation.run(JOIN);
      expect(code).to.equal(1);
      expect(federation.host.peekAll(clusters)).to.deep.equal([]);
      expect(federation.host.peekAll(secrets)).to.deep.equal([]);
      expect(federation.member.peekAll(clusterRoles)).to.deep.equal([]);
    });

    it('when the member does not get ready in time, and says why it did not', async () => {
      federation.clock.meanwhile = () => {
        if (federation.host.peek(clusters, { name: 'm' }) === undefined) return;
        const { status } = clusterOf('m', ['False', 'ConnectionFailed', 'refused']);
        federation.host.edit(clusters, { name: 'm' }, { status });
      };
      const { code, err } = await federation.run(`${JOIN} --wait-time 5s`);
      expect(code).to.equal(4);
      expect(err).to.contain('error: Wait until m is ready: m: not within 5 s; ConnectionFailed: refused\n');
      expect(err).to.contain(`must reach ${federation.memberServer.url}; give an address`);
      expect(federation.host.peekAll(clusters)).to.deep.equal([]);
      expect(federation.member.peekAll(clusterRoles)).to.deep.equal([]);
    });

    it('but for what was there before', async () => {
      playManager();
      await federation.run(JOIN);
      const objects = left();
      federation.host.fail({ verb: 'patch', type: clusters, error: failure(), times: 9 });
      expect((await federation.run(JOIN)).code).to.equal(1);
      expect(left()).to.deep.equal(objects);
    });

    it('removes the identity only after the Cluster, whose manager cleans up with it', async () => {
      const deleted: string[] = [];
      for (const client of [federation.host, federation.member]) {
        client.intercept = ({ verb, resource }) => {
          if (verb === 'delete') deleted.push(resource);
        };
      }
      await federation.run(`${JOIN} --wait-time 1s`);
      expect(deleted).to.deep.equal(['clusters', 'secrets', 'clusterroles']);
    });

    it('and says what could not be taken back', async () => {
      federation.host.fail({ verb: 'patch', type: secrets, error: failure(), times: 9 });
      federation.member.fail({ verb: 'delete', type: clusterRoles, error: failure(), times: 9 });
      const { code, err } = await federation.run(JOIN);
      expect(code).to.equal(1);
      expect(err).to.contain(`; and this could not be undone: ClusterRole ${IDENTITY} in the member: broken\n`);
    });
  });

  it('waits for what an earlier identity has left to go', async () => {
    const error = new ApiError({
      code: 403,
      reason: 'Forbidden',
      details: { causes: [{ reason: 'NamespaceTerminating' }] },
    });
    federation.member.fail({ verb: 'patch', type: serviceAccounts, error, times: 2 });
    const { code, err } = await federation.run(`${JOIN} --wait-time 0`);
    expect(code).to.equal(0);
    expect(err).to.contain('...  Make an identity in the member: what is left of an earlier identity');
  });

  it('does not say that Kosmos is not installed when somebody deletes the Cluster meanwhile', async () => {
    federation.clock.meanwhile = () => {
      if (federation.host.peek(clusters, { name: 'm' }) !== undefined) federation.host.erase(clusters, { name: 'm' });
    };
    const { code, err } = await federation.run(JOIN);
    expect(code).to.equal(1);
    expect(err).not.to.contain('not installed');
  });
});

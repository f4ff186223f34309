import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect } from 'node:tls';
import { parse } from 'yaml';
import type { LabCluster } from '../../../hack/lab/cluster.js';
import { clusterFiles } from '../../../hack/lab/control-plane.js';
import type { UserRequest } from '../../../hack/lab/users.js';
import type { Node } from '../../../src/apis/core.js';
import { KUBELET_SERVING_CONDITION } from '../../../src/apis/names.js';
import { certificateSigningRequests, nodes, pods, secrets } from '../../../src/kube/resource.js';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.js';
import { Federation } from '../../support/federation.js';
import { virtualPod } from '../../support/workloads.js';

/** The member's first two nodes; each has a virtual node of its name. */
const NODES: string[] = [];
const NAMESPACE = 'access';

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What a client shows: a certificate, a token, or nothing. */
type Identity = Pick<RequestOptions, 'cert' | 'key' | 'headers'>;

describe('the kubelet API of virtual nodes, as a real host guards it', () => {
  let federation: Federation;
  let authority: Buffer;

  before(async function () {
    this.timeout(180_000);
    federation = await Federation.boot({ instance: 'kubelet-access', members: 1, nodes: 2 });
    await federation.startManager();
    NODES.push(...(await kwokNodes(federation.lab.cluster('member1'))));
    await federation.joinAll({
      clusterTreeOptions: { leafModels: NODES.map((nodeName) => ({ nodeSelector: { nodeName } })) },
    });
    authority = readFileSync(join(clusterFiles(federation.lab.host.directory).pki, 'ca.crt'));
    await federation.namespace(NAMESPACE);
    await federation.host.create(pods, virtualPod({ namespace: NAMESPACE, name: 'web' }));
    await federation.runningPod('host', { namespace: NAMESPACE, name: 'web' });
  });

  after(async () => {
    await federation.down();
  });

  async function kwokNodes(cluster: LabCluster): Promise<readonly string[]> {
    const list = (await cluster.api.json('GET', '/api/v1/nodes')) as { items: { metadata: { name: string } }[] };
    return list.items.map(({ metadata }) => metadata.name).slice(0, 2);
  }

  function portOf(node: Node): number {
    return node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  }

  async function port(name: string): Promise<number> {
    return portOf(await federation.host.get(nodes, { name }));
  }

  async function ask(path: string, identity: Identity, node = NODES[0] ?? '', method = 'GET'): Promise<Answer> {
    const target = { host: federation.lab.clientAddress, port: await port(node), path, method, agent: false };
    return new Promise((resolve, reject) => {
      // The certificate is checked as an API server with --kubelet-certificate-authority would.
      httpsRequest({ ...target, ca: authority, ...identity }, (answer) => {
        let body = '';
        answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      })
        .on('error', reject)
        .end();
    });
  }

  async function identityOf(request: UserRequest): Promise<Identity> {
    const config = parse(readFileSync(await federation.lab.host.addUser(request), 'utf8')) as {
      users: { user: Record<string, string> }[];
    };
    const user = config.users[0]?.user ?? {};
    if (user['token'] !== undefined) return { headers: { authorization: `Bearer ${user['token']}` } };
    const decode = (text = ''): Buffer => Buffer.from(text, 'base64');
    return { cert: decode(user['client-certificate-data']), key: decode(user['client-key-data']) };
  }

  /** A user who may do only this with nodes. */
  async function limited(name: string, verbs: readonly string[], resource: string): Promise<Identity> {
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: [{ apiGroups: [''], resources: [resource], verbs }],
    };
    await federation.lab.host.api.json('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', { body: role });
    return identityOf({ name, credential: 'token', clusterRole: name });
  }

  it('shows for each node a certificate that the host has signed for it', async () => {
    for (const name of NODES) {
      const socket = connect({ host: federation.lab.clientAddress, port: await port(name), ca: authority });
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
      expect(socket.authorized).to.be.true;
      expect(socket.getPeerX509Certificate()?.subject).to.equal(`O=system:nodes\nCN=system:node:${name}`);
      socket.destroy();
    }
    expect(await port(NODES[0] ?? '')).not.to.equal(await port(NODES[1] ?? ''));
  });

  const cases: readonly (readonly [string, () => Promise<Identity>, string, string, number])[] = [
    ['an administrator', () => identityOf({ name: 'a1', clusterRole: 'cluster-admin' }), 'GET', '/pods', 200],
    [
      'the role for API servers',
      () => identityOf({ name: 'a2', clusterRole: 'system:kubelet-api-admin' }),
      'GET',
      '/pods',
      200,
    ],
    ['a service account with nodes/pods', () => limited('only-pods', ['get'], 'nodes/pods'), 'GET', '/pods', 200],
    ['nobody', () => Promise.resolve({}), 'GET', '/pods', 401],
    [
      'somebody with a made-up token',
      () => Promise.resolve({ headers: { authorization: 'Bearer x' } }),
      'GET',
      '/pods',
      401,
    ],
    ['somebody without rights', () => identityOf({ name: 'd1' }), 'GET', '/pods', 403],
    ['a token without rights', () => identityOf({ name: 'd2', credential: 'token' }), 'GET', '/pods', 403],
    [
      'somebody whose certificate has expired',
      () => identityOf({ name: 'd3', clusterRole: 'cluster-admin', notAfter: new Date(Date.now() - 60_000) }),
      'GET',
      '/pods',
      401,
    ],
    ['nodes/stats, for pods', () => limited('only-stats', ['get'], 'nodes/stats'), 'GET', '/pods', 403],
    ['nodes/proxy, for stats', () => limited('only-proxy', ['get'], 'nodes/proxy'), 'GET', '/stats/summary', 403],
    [
      'get on nodes/proxy, for a session',
      () => limited('proxy-get', ['get'], 'nodes/proxy'),
      'GET',
      `/exec/${NAMESPACE}/web/main?command=id`,
      403,
    ],
    [
      'create on nodes/proxy, for a session without an upgrade',
      () => limited('proxy-create', ['create'], 'nodes/proxy'),
      'GET',
      `/exec/${NAMESPACE}/web/main?command=id`,
      400,
    ],
  ];
  for (const [who, identity, method, path, status] of cases) {
    it(`answers ${status} to ${who}`, async () => {
      expect((await ask(path, await identity(), NODES[0], method)).status).to.equal(status);
    });
  }

  it('gives pods only at their own node', async () => {
    const admin = await identityOf({ name: 'n1', clusterRole: 'cluster-admin' });
    const { spec } = await federation.host.get(pods, { namespace: NAMESPACE, name: 'web' });
    const other = NODES.find((name) => name !== spec?.nodeName) ?? '';
    const log = `/containerLogs/${NAMESPACE}/web/main`;
    expect((await ask(log, admin, other)).body).to.equal('pod "web" does not exist\n');
    // KWOK has no logs: the member's own words come through.
    expect((await ask(log, admin, spec?.nodeName)).body).not.to.match(/does not exist/);
  });

  it('keeps ports, keys and certificates over a restart, and asks for nothing', async () => {
    const before = await state();
    await federation.killManager();
    await federation.restartManager();
    const admin = await identityOf({ name: 'r1', clusterRole: 'cluster-admin' });
    for (const name of NODES)
      await eventually(async () => expect((await ask('/configz', admin, name)).status).to.equal(200));
    expect(await state()).to.deep.equal(before);
  });

  it('is served by every replica, whoever leads', async () => {
    const address = federation.lab.hostAddress;
    const other = await federation.startOtherManager({ where: 'root' });
    const admin = await identityOf({ name: 'r2', clusterRole: 'cluster-admin' });
    const target = {
      host: address,
      port: await port(NODES[0] ?? ''),
      path: '/configz',
      agent: false,
      rejectUnauthorized: false,
    };
    await eventually(
      () =>
        new Promise<void>((resolve, reject) => {
          httpsRequest({ ...target, ...admin }, (answer) => {
            answer.resume();
            if (answer.statusCode === 200) resolve();
            else reject(new Error(`HTTP ${answer.statusCode ?? 0}`));
          })
            .on('error', reject)
            .end();
        }),
    );
    other.kill('SIGKILL');
    await other.wait();
  });

  it('removes the key of a node with the node', async () => {
    const [first = '', second = ''] = NODES;
    await federation.join('member1', { clusterTreeOptions: { leafModels: [{ nodeSelector: { nodeName: first } }] } });
    await eventually(async () => {
      const { items } = await federation.host.list(secrets, { namespace: 'kosmos-system' });
      const names = items.map(({ metadata }) => metadata?.name).filter((name) => name?.startsWith('kubelet-serving-'));
      expect(names).to.deep.equal([`kubelet-serving-${first}`]);
      expect(await federation.find('host', nodes, { name: second })).to.be.undefined;
    });
  });

  describe('with a manager that may not approve certificates', () => {
    const NAME = 'no-approval';

    before(async function () {
      this.timeout(90_000);
      // `approve` is a verb of its own, which no list of ordinary verbs contains.
      const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
      const rules = [{ apiGroups: ['*'], resources: ['*'], verbs }];
      const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: NAME }, rules };
      await federation.lab.host.api.json('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', { body: role });
      const kubeconfig = await federation.lab.host.addUser({ name: NAME, clusterRole: NAME });
      await federation.killManager();
      const { items } = await federation.host.list(certificateSigningRequests);
      for (const { metadata } of items) {
        await federation.host.delete(certificateSigningRequests, { name: metadata?.name ?? '' });
      }
      const secret = { namespace: 'kosmos-system', name: `kubelet-serving-${NODES[0] ?? ''}` };
      await federation.host.delete(secrets, secret);
      await federation.startManager({ kubeconfig });
      // The lease of the killed one has to end first.
      await eventually(
        async () => expect((await federation.host.list(certificateSigningRequests)).items).not.to.be.empty,
        { timeoutMs: 60_000 },
      );
    });

    async function condition(): Promise<string> {
      const node = await federation.host.get(nodes, { name: NODES[0] ?? '' });
      const found = node.status?.conditions?.find(({ type }) => type === KUBELET_SERVING_CONDITION);
      return `${found?.status} ${found?.reason}: ${found?.message}`;
    }

    it('the node says which request waits for whom', async () => {
      await eventually(async () => {
        const [request] = (await federation.host.list(certificateSigningRequests)).items;
        const words = `waits for approval, which the manager is not allowed to give`;
        expect(await condition()).to.equal(
          `False CertificateNotApproved: CertificateSigningRequest ${request?.metadata?.name} ${words}`,
        );
      });
    });

    it('is served as soon as somebody else approves', async () => {
      const [request] = (await federation.host.list(certificateSigningRequests)).items;
      await federation.lab.host.kubectl(['certificate', 'approve', request?.metadata?.name ?? '']);
      await eventually(async () => expect(await condition()).to.match(/^True CertificateIssued/));
      const admin = await identityOf({ name: 'approved', clusterRole: 'cluster-admin' });
      await eventually(async () => expect((await ask('/configz', admin)).status).to.equal(200));
    });
  });

  /** What a restart must leave as it is. */
  async function state(): Promise<unknown> {
    const ports = await Promise.all(NODES.map(port));
    const kept = await federation.host.list(secrets, { namespace: 'kosmos-system' });
    const requests = await federation.host.list(certificateSigningRequests);
    const versions = [...kept.items, ...requests.items].map(({ metadata }) => [
      metadata?.name,
      metadata?.resourceVersion,
    ]);
    return { ports, versions };
  }
});

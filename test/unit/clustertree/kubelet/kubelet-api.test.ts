import { expect } from 'chai';
import { request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import {
  KUBELET_PORT_INDEX,
  kubeletPortIndexer,
  KubeletPorts,
} from '../../../../src/clustertree/cluster/kubelet-ports.js';
import type { HostPods } from '../../../../src/clustertree/cluster/host-pods.js';
import { KubeletApi } from '../../../../src/clustertree/kubelet/kubelet-api.js';
import type { SubjectAccessReview } from '../../../../src/clustertree/kubelet/reviews.js';
import type { KubeClient } from '../../../../src/kube/client.js';
import { configMaps, nodes, secrets } from '../../../../src/kube/resource.js';
import { systemClock } from '../../../../src/lib/clock.js';
import { createControllerFactory } from '../../../../src/runtime/controller-factory.js';
import { createInformerFactory } from '../../../../src/kube/informer-factory.js';
import { createAuthority, type KeyPair } from '../../../support/certificates.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { virtualNode } from '../../../support/member-harness.js';
import { waitFor } from '../../../support/wait-for.js';

const FIRST_PORT = 28_750;
const CONFIG = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };

describe('KubeletApi', () => {
  const authority = createAuthority();
  const admin = authority.issue('admin');
  let host: FakeKubeClient;
  let api: KubeletApi;
  let stop: AbortController;
  let running: Promise<unknown>;
  let lingerMs: number;
  const served = new Map<string, number>();

  beforeEach(() => {
    host = new FakeKubeClient();
    lingerMs = 0;
    stop = new AbortController();
    authorityOfHost(authority.certificate);
  });

  afterEach(async () => {
    stop.abort(new Error('the test has ended'));
    await running;
  });

  function start(lead = true): void {
    served.clear();
    const clock = systemClock;
    const logger = { debug: noop, info: noop, warn: noop, error: noop, child: () => logger };
    const createInformer = createInformerFactory({ clock, logger, random: Math.random });
    const hostNodes = createInformer({
      ...{ client: host, type: nodes },
      indexers: { [KUBELET_PORT_INDEX]: kubeletPortIndexer },
    });
    const reviewClient = {
      create: (_type: unknown, review: SubjectAccessReview) =>
        Promise.resolve({ ...review, status: { allowed: true } }),
    } as unknown as KubeClient;
    api = new KubeletApi({
      ...{ host, reviewClient, hostNodes, clock, logger, createInformer },
      hostPods: { get: () => undefined, hasNode: () => true, listNode: () => [] } as unknown as HostPods,
      member: () => undefined,
      ports: new KubeletPorts({ first: FIRST_PORT, count: 10 }, hostNodes.store),
      policy: { mode: 'self-signed', addresses: ['127.0.0.1'] },
      ...{ namespace: 'kosmos-system', address: '127.0.0.1', endpoints: [], drainMs: 200, lingerMs },
      createController: createControllerFactory({ clock, logger }),
      observer: {
        ...{ request: noop, session: noop, bytes: noop, connection: noop, refused: noop },
        served: (cluster, change) => void served.set(cluster, (served.get(cluster) ?? 0) + change),
      },
    });
    const leading = lead ? [api.lead(stop.signal).catch(noop)] : [];
    running = Promise.all([hostNodes.run(stop.signal), api.run(stop.signal), ...leading]);
  }

  function node(name: string, port: number, cluster = 'member1'): void {
    const status = { daemonEndpoints: { kubeletEndpoint: { Port: port } } };
    if (host.peek(nodes, { name }) !== undefined) host.erase(nodes, { name });
    host.seed(nodes, virtualNode(name, cluster, { status }));
  }

  function authorityOfHost(pem: string): void {
    const config = { metadata: CONFIG, data: { 'client-ca-file': pem } };
    if (host.peek(configMaps, CONFIG) === undefined) host.seed(configMaps, config);
    else void host.update(configMaps, config);
  }

  function healthz(port: number, identity: KeyPair = admin): Promise<number> {
    return new Promise((resolve, reject) => {
      const { certificate: cert, key } = identity;
      const target = { host: '127.0.0.1', port, path: '/configz', agent: false, rejectUnauthorized: false, cert, key };
      httpsRequest(target, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      })
        .on('error', reject)
        .end();
    });
  }

  async function refused(port: number): Promise<boolean> {
    return healthz(port).then(
      () => false,
      () => true,
    );
  }

  it('serves each virtual node at the port that its Node publishes', async () => {
    node('a', FIRST_PORT);
    node('b', FIRST_PORT + 1);
    start();
    await waitFor('both nodes', () => served.get('member1') === 2);
    expect(await Promise.all([healthz(FIRST_PORT), healthz(FIRST_PORT + 1)])).to.deep.equal([200, 200]);
    expect(host.peekAll(secrets)).to.have.length(2);
  });

  it('serves on replicas that do not lead, once there is a certificate', async () => {
    node('a', FIRST_PORT);
    start(false);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([served.size, host.calls.filter(({ verb }) => verb === 'create')]).to.deep.equal([0, []]);
    void api.lead(stop.signal).catch(noop);
    await waitFor('the node', () => served.get('member1') === 1);
  });

  it('follows a node to another port, and stops when it is gone', async () => {
    node('a', FIRST_PORT);
    start();
    await waitFor('the node', () => served.get('member1') === 1);
    node('a', FIRST_PORT + 2);
    await waitFor('the other port', async () => (await healthz(FIRST_PORT + 2).catch(() => 0)) === 200);
    expect(await refused(FIRST_PORT)).to.be.true;
    host.erase(nodes, { name: 'a' });
    await waitFor('the end', () => served.get('member1') === 0);
    expect(await refused(FIRST_PORT + 2)).to.be.true;
  });

  it('follows the authority of the host', async () => {
    node('a', FIRST_PORT);
    start();
    await waitFor('the node', () => served.get('member1') === 1);
    const other = createAuthority();
    const replaced = other.issue('admin');
    expect(await healthz(FIRST_PORT, replaced)).to.equal(401);
    authorityOfHost(other.certificate);
    await waitFor('the change', async () => (await healthz(FIRST_PORT, replaced)) === 200);
    expect(await healthz(FIRST_PORT)).to.equal(401);
    authorityOfHost('nonsense');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await healthz(FIRST_PORT, replaced)).to.equal(200);
    host.erase(configMaps, CONFIG);
    await waitFor('no authority', async () => (await healthz(FIRST_PORT, replaced)) === 401);
  });

  it('takes a new certificate without dropping connections', async () => {
    node('a', FIRST_PORT);
    start();
    await waitFor('the node', () => served.get('member1') === 1);
    const socket = connect({ host: '127.0.0.1', port: FIRST_PORT, rejectUnauthorized: false });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const before = socket.getPeerX509Certificate()?.fingerprint256;
    host.erase(secrets, { namespace: 'kosmos-system', name: 'kubelet-serving-a' });
    await waitFor('another certificate', async () => {
      const next = connect({ host: '127.0.0.1', port: FIRST_PORT, rejectUnauthorized: false });
      const fingerprint = await new Promise((resolve) => {
        next.once('secureConnect', () => resolve(next.getPeerX509Certificate()?.fingerprint256));
        next.once('error', () => resolve(before));
      });
      next.destroy();
      return fingerprint !== before;
    });
    socket.destroy();
  });

  it('says which nodes it does not serve yet', async () => {
    node('a', FIRST_PORT);
    node('b', FIRST_PORT + 1);
    node('without-a-port', 0);
    const other = createServer().listen(FIRST_PORT, '127.0.0.1');
    start();
    await waitFor('the node', () => served.get('member1') === 1);
    expect(api.unserved()).to.deep.equal(['a']);
    await new Promise((resolve) => other.close(resolve));
    await waitFor('the other node', () => served.get('member1') === 2);
    expect(api.unserved()).to.deep.equal([]);
    stop.abort(new Error('stop'));
    await running;
    expect(api.unserved()).to.deep.equal([]);
  });

  it('takes new connections for a moment after it was told to stop', async () => {
    node('a', FIRST_PORT);
    lingerMs = 400;
    start();
    await waitFor('the node', () => served.get('member1') === 1);
    stop.abort(new Error('stop'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await healthz(FIRST_PORT)).to.equal(200);
    await running;
    expect(await refused(FIRST_PORT)).to.be.true;
  });

  it('closes its ports and connections when it stops', async () => {
    node('a', FIRST_PORT);
    start();
    await waitFor('the node', () => served.get('member1') === 1);
    const socket = connect({ host: '127.0.0.1', port: FIRST_PORT, rejectUnauthorized: false });
    let closed = false;
    socket.on('error', noop).on('close', () => (closed = true));
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    stop.abort(new Error('stop'));
    await running;
    await waitFor('the end', () => closed);
    expect([api.sessions, await refused(FIRST_PORT)]).to.deep.equal([0, true]);
  });
});

function noop(): void {
  // Nothing is to be done.
}

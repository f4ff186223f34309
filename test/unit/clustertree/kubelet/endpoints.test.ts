import { expect } from 'chai';
import { EndpointError, type NodeEndpoint } from '../../../../src/clustertree/kubelet/endpoint.js';
import { hostPod, KubeletRig, OTHER_NODE } from '../../../support/kubelet-rig.js';
import { waitFor } from '../../../support/wait-for.js';

let sawAbort = false;

const EXTRA: NodeEndpoint = {
  register: (routes) => {
    routes.get(
      '/stats/summary',
      (node, { response }) => void response.json({ node: node.name, pods: node.hostPods().length }),
    );
    routes.get('/metrics/broken', () => {
      throw new Error('a secret reason');
    });
    routes.get('/metrics/half', (_node, { response }) => {
      response.write('half');
      throw new Error('broken off');
    });
    routes.get('/metrics/teapot', () => Promise.reject(new EndpointError(418, 'short and stout')));
    routes.get('/metrics/wait', async (_node, { response, signal }) => {
      response.flushHeaders();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      sawAbort = true;
    });
    routes.post('/metrics/only-post', (_node, { response }) => void response.send('posted'));
  },
};

describe('an endpoint of the kubelet API', () => {
  let rig: KubeletRig;

  beforeEach(async () => {
    sawAbort = false;
    rig = await KubeletRig.start({ endpoints: [EXTRA] });
  });

  afterEach(() => rig.close());

  async function get(path: string): Promise<readonly [number, string]> {
    const { status, body } = await rig.request(path);
    return [status, body];
  }

  function podNames(body: string): readonly string[] {
    return (JSON.parse(body) as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
  }

  describe('of another feature', () => {
    it('gets the node, and answers', async () => {
      expect(await get('/stats/summary')).to.deep.equal([200, '{"node":"kosmos-member1","pods":1}']);
    });

    it('may answer with an error in words', async () => {
      expect(await get('/metrics/teapot')).to.deep.equal([418, 'short and stout\n']);
    });

    it('tells nobody but the log why it failed', async () => {
      expect(await get('/metrics/broken')).to.deep.equal([500, 'Internal Server Error\n']);
      expect(rig.logs).to.include('a request to the kubelet API failed');
    });

    it('breaks the connection when it fails in the middle', async () => {
      const failure = await rig.request('/metrics/half').then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(Error);
    });

    it('hears when the client has gone', async () => {
      const socket = await rig.connect();
      socket.on('error', () => undefined);
      socket.write('GET /metrics/wait HTTP/1.1\r\nHost: node\r\n\r\n');
      await waitFor('the reviews', () => rig.reviews.length > 0);
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.destroy();
      await waitFor('the signal', () => sawAbort);
    });

    it('is found under its own method only', async () => {
      expect(await get('/metrics/only-post')).to.deep.equal([405, 'Method Not Allowed\n']);
      const { status, body } = await rig.request('/metrics/only-post', { method: 'POST' });
      expect([status, body]).to.deep.equal([200, 'posted']);
    });

    it('is not found under another path', async () => {
      expect(await get('/metrics/nothing')).to.deep.equal([404, '404 page not found\n']);
      expect((await get('/STATS/summary'))[0]).to.equal(404);
    });
  });

  it('/pods lists what is bound to the node, as a list of pods', async () => {
    rig.addPod(hostPod({ name: 'other', uid: 'uid-2', node: OTHER_NODE }));
    const { body } = await rig.request('/pods');
    expect(podNames(body)).to.deep.equal(['web']);
    expect(JSON.parse(body)).to.include({ kind: 'PodList', apiVersion: 'v1' });
  });

  it('/metrics counts pods and containers that run, under the names of a kubelet', async () => {
    const web = rig.memberPods.get('default/web')!;
    const containerStatuses = [{ running: {} }, { waiting: {} }, { terminated: { exitCode: 0 } }, undefined].map(
      (state, i) => ({ name: `c${i}`, image: '', imageID: '', ready: false, restartCount: 0, state }),
    );
    rig.memberPods.set('default/web', { ...web, status: { ...web.status, containerStatuses } });
    const { status, headers, body } = await rig.request('/metrics');
    expect([status, headers['content-type']]).to.deep.equal([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(body.split('\n').filter((line) => !line.startsWith('#'))).to.deep.equal([
      'kubelet_node_name{node="kosmos-member1"} 1',
      'kubelet_running_pods 1',
      'kubelet_running_containers{container_state="created"} 1',
      'kubelet_running_containers{container_state="exited"} 1',
      'kubelet_running_containers{container_state="running"} 1',
      'kubelet_running_containers{container_state="unknown"} 1',
      '',
    ]);
  });

  it('/runningpods lists what runs in the member and is meant to', async () => {
    for (const name of ['deleted', 'ended', 'missing']) rig.addPod(hostPod({ name, uid: `uid-${name}` }));
    const deleted = rig.hostPods.get('default/deleted')!;
    const metadata = { ...deleted.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    rig.hostPods.set('default/deleted', { ...deleted, metadata });
    const ended = rig.memberPods.get('default/ended')!;
    rig.memberPods.set('default/ended', { ...ended, status: { phase: 'Succeeded' } });
    rig.memberPods.delete('default/missing');
    for (const path of ['/runningpods/', '/runningpods']) {
      expect(podNames((await rig.request(path)).body)).to.deep.equal(['web']);
    }
    expect(podNames((await rig.request('/pods')).body)).to.have.length(4);
  });

  it('/healthz asks all checks, or one', async () => {
    expect(await get('/healthz')).to.deep.equal([200, 'ok']);
    expect(await get('/healthz/syncloop')).to.deep.equal([200, 'ok']);
    rig.reachable = false;
    expect(await get('/healthz')).to.deep.equal([
      500,
      '[+]ping ok\n[-]syncloop failed: the member cluster can not be reached\n',
    ]);
    expect(await get('/healthz/ping')).to.deep.equal([200, 'ok']);
    rig.isConnected = false;
    expect((await get('/healthz/syncloop'))[1]).to.match(/is not connected/);
    expect((await get('/healthz/toString'))[0]).to.equal(404);
  });

  it('/configz tells how requests are authenticated and authorized', async () => {
    const { kubeletconfig } = JSON.parse((await rig.request('/configz')).body) as {
      kubeletconfig: Record<string, unknown>;
    };
    expect(kubeletconfig).to.deep.include({ kind: 'KubeletConfiguration', port: rig.port });
    expect(kubeletconfig).to.have.nested.property('authentication.anonymous.enabled', false);
  });

  it('/logs is refused', async () => {
    for (const path of ['/logs', '/logs/', '/logs/syslog']) {
      expect(await get(path)).to.deep.equal([405, 'logs endpoint is disabled.\n']);
    }
  });

  it('/ is nothing', async () => expect((await get('/'))[0]).to.equal(404));

  it('is counted by its name, and what nobody knows by none of its own', async () => {
    for (const path of ['/healthz/ping', '/whatever/x', '/pods']) await rig.request(path);
    await waitFor('the counts', () => rig.events.length === 3);
    expect(rig.events).to.deep.equal(['member1 healthz 200', 'member1 other 404', 'member1 pods 200']);
  });
});

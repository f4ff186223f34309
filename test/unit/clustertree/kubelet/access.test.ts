import { expect } from 'chai';
import type { RequestOptions } from 'node:https';
import { createAuthority } from '../../../support/certificates.js';
import { ADMIN, KubeletRig, NODE, OTHER_NODE, hostPod } from '../../../support/kubelet-rig.js';
import { systemClock } from '../../../../src/lib/clock.js';

const EXEC = '/exec/default/web/main?command=id&output=1';
const NO_CERTIFICATE = { cert: '', key: '' };

describe('access to the kubelet API', () => {
  let rig: KubeletRig;

  beforeEach(async () => {
    rig = await KubeletRig.start();
  });

  afterEach(() => {
    expect(rig.streams.requests, 'nothing reaches the member').to.deep.equal([]);
    rig.close();
  });

  function bearer(token: string): RequestOptions {
    return { ...NO_CERTIFICATE, headers: { authorization: `Bearer ${token}` } };
  }

  /** The first line of the answer to a request for a session. */
  async function session(path: string, headers = {}, identity?: Parameters<KubeletRig['raw']>[1]): Promise<string> {
    const answer = await rig.raw(KubeletRig.handshake(path, headers), identity);
    return answer.split('\r\n')[0] ?? '';
  }

  it('is given to a certificate of the host authority with the right to it', async () => {
    expect((await rig.request('/healthz')).body).to.equal('ok');
    expect(rig.reviews).to.have.length(2);
    expect(rig.reviews.at(-1)?.spec).to.deep.include({
      user: ADMIN,
      groups: ['admins', 'system:authenticated'],
      resourceAttributes: { verb: 'get', version: 'v1', resource: 'nodes', subresource: 'proxy', name: NODE },
    });
  });

  it('is given to a token with the right to it', async () => {
    rig.tokens.set('good', { username: 'jane', groups: ['devs'] });
    rig.rights.add('jane get healthz');
    expect((await rig.request('/healthz', bearer('good'))).status).to.equal(200);
    const last = rig.reviews.at(-1)?.spec;
    expect(last).to.deep.include({ user: 'jane', groups: ['devs', 'system:authenticated'] });
  });

  it('needs the certificate to be checked again when its time is over on an open connection', async () => {
    rig.close();
    let shiftMs = 0;
    rig = await KubeletRig.start({ clock: { ...systemClock, now: () => Date.now() + shiftMs } });
    expect((await rig.request('/healthz')).status).to.equal(200);
    shiftMs = 3 * 86_400_000;
    expect((await rig.request('/healthz')).status).to.equal(401);
  });

  describe('is denied', () => {
    const cases: readonly (readonly [what: string, status: number, path: string, options: () => RequestOptions])[] = [
      ['without certificate and token', 401, '/pods', () => NO_CERTIFICATE],
      ['with an unknown token', 401, '/pods', () => bearer('unknown')],
      ['with an empty token', 401, '/pods', () => bearer('')],
      ['with basic authentication', 401, '/pods', () => ({ ...NO_CERTIFICATE, auth: 'admin:admin' })],
      ['with a token that has no rights', 403, '/pods', () => bearer('poor')],
      ['with a token for another subresource', 403, '/pods', () => bearer('stats')],
      ['with the right subresource and the wrong verb', 403, '/pods', () => ({ ...bearer('reader'), method: 'POST' })],
      ['to logs with the right to pods alone', 403, '/containerLogs/default/web/main', () => bearer('reader')],
      ['to stats with the right to proxy alone', 403, '/stats/summary', () => bearer('proxy')],
      ['with a method that is no verb', 403, '/pods', () => ({ method: 'OPTIONS' })],
      ['to a path with dot segments', 400, '/pods/../exec/default/web/main', () => ({})],
      ['to a path with encoded slashes', 400, '/containerLogs/default/..%2fweb/main', () => ({})],
      ['to a path with encoded dots', 400, '/containerLogs/%2e%2e/web/main', () => ({})],
    ];
    for (const [what, status, path, options] of cases) {
      it(`${what} (${status})`, async () => {
        rig.tokens.set('poor', { username: 'poor' });
        rig.tokens.set('stats', { username: 'stats' }).set('reader', { username: 'reader' });
        rig.tokens.set('proxy', { username: 'proxy' });
        rig.rights.add('stats get stats').add('reader get pods').add('proxy get proxy');
        expect((await rig.request(path, options())).status).to.equal(status);
      });
    }

    it('with a certificate of another authority (401)', async () => {
      const { certificate: cert, key } = createAuthority().issue(ADMIN, { organization: 'system:masters' });
      expect((await rig.request('/pods', { cert, key })).status).to.equal(401);
      expect(rig.reviews).to.have.length(0);
    });

    it('with a certificate that names nobody (401)', async () => {
      const { certificate: cert, key } = rig.authority.issue('', { organization: 'system:masters' });
      expect((await rig.request('/pods', { cert, key })).status).to.equal(401);
    });

    it('with headers that claim to be somebody (401, 403)', async () => {
      const headers = { 'x-remote-user': ADMIN, 'x-remote-group': 'system:masters', 'impersonate-user': ADMIN };
      expect((await rig.request('/pods', { ...NO_CERTIFICATE, headers })).status).to.equal(401);
      rig.tokens.set('poor', { username: 'poor' });
      const poor = { ...NO_CERTIFICATE, headers: { ...headers, authorization: 'Bearer poor' } };
      expect((await rig.request('/pods', poor)).status).to.equal(403);
    });

    it('to a session without certificate and token (401)', async () => {
      expect(await session(EXEC, {}, {})).to.equal('HTTP/1.1 401 Unauthorized');
    });

    it('to a session with the right to get nodes/proxy, also over WebSocket (403)', async () => {
      rig.tokens.set('getter', { username: 'getter' });
      rig.rights.add('getter get proxy').add('getter create stats');
      const headers = { Authorization: 'Bearer getter', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'a2V5' };
      for (const method of ['GET', 'POST']) {
        const answer = await rig.raw(KubeletRig.handshake(EXEC, headers, method), {});
        expect(answer).to.match(/^HTTP\/1\.1 403 Forbidden\r\n/);
        expect(answer).to.include('Forbidden (user=getter, verb=create, resource=nodes, subresource(s)=[proxy])');
      }
    });

    it('to a session under a path with less rights (400)', async () => {
      rig.tokens.set('stats', { username: 'stats' });
      rig.rights.add('stats create stats');
      const headers = { Authorization: 'Bearer stats' };
      expect(await session('/stats/../exec/default/web/main', headers, {})).to.equal('HTTP/1.1 400 Bad Request');
      expect(await session('/stats/..%2fexec/default/web/main', headers, {})).to.equal('HTTP/1.1 400 Bad Request');
      expect(await session('http://node/exec/default/web/main', headers, {})).to.equal('HTTP/1.1 400 Bad Request');
    });

    it('to a session with names that are paths (400, 404)', async () => {
      expect(await session('/exec/default/..%2f..%2fkube-system/main')).to.equal('HTTP/1.1 400 Bad Request');
      expect(await session('/exec/default/web/main%20x?command=a')).to.equal('HTTP/1.1 404 Not Found');
    });

    it('to pods of another node, and to pods that only the member has (404)', async () => {
      rig.addPod(hostPod({ name: 'other', node: OTHER_NODE }));
      rig.memberPods.set('default/foreign', rig.memberPods.get('default/web')!);
      for (const pod of ['other', 'foreign', 'missing']) {
        expect((await rig.request(`/containerLogs/default/${pod}/main`)).status).to.equal(404);
        expect(await session(`/exec/default/${pod}/main?command=id`)).to.equal('HTTP/1.1 404 Not Found');
      }
    });

    it('to a member pod that was made for another host pod of that name (400)', async () => {
      rig.changePod('default/web', hostPod({ uid: 'uid-2' }));
      expect(await session(EXEC)).to.equal('HTTP/1.1 400 Bad Request');
      expect((await rig.request('/containerLogs/default/web/main')).body).to.match(/is waiting to start/);
    });

    it('to a UID that is not the pod (404)', async () => {
      expect(await session('/exec/default/web/uid-2/main?command=id')).to.equal('HTTP/1.1 404 Not Found');
    });

    it('to containers that the pod does not have (404)', async () => {
      expect(await session('/exec/default/web/other?command=id')).to.equal('HTTP/1.1 404 Not Found');
      const { status, body } = await rig.request('/containerLogs/default/web/other');
      expect([status, body]).to.deep.equal([404, 'container "other" not found in pod "web"\n']);
    });

    it('while nobody can say whether it is allowed (500), or who asks (401)', async () => {
      rig.reviewError = new Error('the host does not answer');
      const { status, body } = await rig.request('/pods');
      expect([status, body]).to.deep.equal([
        500,
        `Authorization error (user=${ADMIN}, verb=get, resource=nodes, subresource=pods)\n`,
      ]);
      expect((await rig.request('/pods', bearer('any'))).status).to.equal(401);
      expect(await session(EXEC)).to.equal('HTTP/1.1 500 Internal Server Error');
    });
  });

  it('is reviewed once for many requests, tokens and rights alike', async () => {
    rig.tokens.set('good', { username: 'jane' });
    rig.rights.add('jane get healthz');
    await Promise.all(Array.from({ length: 10 }, () => rig.request('/healthz', bearer('good'))));
    await rig.request('/healthz', bearer('good'));
    expect(rig.reviews).to.have.length(2);
  });

  it('never shows a token in a log', async () => {
    rig.reviewError = new Error('no');
    await rig.request('/pods', bearer('very-secret'));
    expect(rig.logs.join()).not.to.include('very-secret');
  });

  it('ends for those whom a replaced authority let in', async () => {
    const { certificate, key } = rig.authority.issue('node');
    rig.listener.setCredential({ certificate, key, clientAuthority: createAuthority().certificate });
    expect((await rig.request('/pods')).status).to.equal(401);
    rig.listener.setCredential({ certificate, key, clientAuthority: undefined });
    expect((await rig.request('/pods')).status).to.equal(401);
    rig.listener.setCredential({ certificate, key, clientAuthority: rig.authority.certificate });
    expect((await rig.request('/pods')).status).to.equal(200);
  });
});

import { expect } from 'chai';
import type { AuthMaterial, Credential } from '../../../src/kube/credential.js';
import { Secret } from '../../../src/kube/secret.js';
import { createTransport, type KubeTransport } from '../../../src/kube/transport.js';
import { createAuthority, type KeyPair, type TestAuthority } from '../../support/certificates.js';
import { ConnectProxy } from '../../support/connect-proxy.js';
import { accessTo, HttpApiServer, sendJson, sendStatus } from '../../support/http-api-server.js';
import { errorMessage } from '../../../src/lib/errors.js';

/** A credential that the test changes. */
class ChangingCredential implements Credential {
  refusals = 0;
  material: AuthMaterial;
  next: AuthMaterial | undefined;

  constructor(material: AuthMaterial) {
    this.material = material;
  }

  current(): Promise<AuthMaterial> {
    return Promise.resolve(this.material);
  }

  refused(): void {
    this.refusals += 1;
    this.material = this.next ?? this.material;
  }
}

function token(value: string): AuthMaterial {
  return { authorization: new Secret(`Bearer ${value}`) };
}

function certificate(pair: KeyPair): AuthMaterial {
  return { clientCertificate: { certificate: pair.certificate, key: new Secret(pair.key) } };
}

describe('a transport over TLS', () => {
  let authority: TestAuthority;
  let serverPair: KeyPair;
  let server: HttpApiServer;
  let transport: KubeTransport;

  before(() => {
    authority = createAuthority();
    serverPair = authority.issue('server');
  });

  async function serve(pair = serverPair): Promise<void> {
    server = await HttpApiServer.start({
      cert: pair.certificate,
      key: pair.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    });
    server.handler = (_request, response) => sendJson(response, {});
  }

  beforeEach(() => serve());

  afterEach(async () => {
    await transport.close();
    await server.close();
  });

  function connect(more: Parameters<typeof accessTo>[1] = {}, credential?: Credential, connections = 1): KubeTransport {
    transport = createTransport({
      access: accessTo(server, { certificateAuthority: authority.certificate, ...more }, credential),
      connections,
    });
    return transport;
  }

  async function get(): Promise<number> {
    return (await transport.request({ method: 'GET', path: '/', timeoutMs: 3000 })).statusCode;
  }

  async function failure(): Promise<string> {
    return get().then(String, errorMessage);
  }

  describe('checks the server', () => {
    it('against the given authority', async () => {
      connect();
      expect(await get()).to.equal(200);
    });

    it('and refuses one of another authority', async () => {
      connect({ certificateAuthority: createAuthority().certificate });
      expect(await failure()).to.match(/cannot connect.*(self-signed|unable to verify|certificate)/);
      expect(server.requests).to.have.length(0);
    });

    it('and refuses one with another name', async () => {
      await server.close();
      await serve(authority.issue('other', { names: 'DNS:api.example.com' }));
      connect();
      expect(await failure()).to.match(/cannot connect/);
      expect(server.requests).to.have.length(0);
    });

    it('under the name that is given instead', async () => {
      await server.close();
      await serve(authority.issue('other', { names: 'DNS:api.example.com' }));
      connect({ tlsServerName: 'api.example.com' });
      expect(await get()).to.equal(200);
    });

    it('not at all when told so', async () => {
      connect({ insecureSkipTlsVerify: true, certificateAuthority: undefined });
      expect(await get()).to.equal(200);
    });
  });

  describe('identifies itself', () => {
    it('with a token', async () => {
      connect({}, new ChangingCredential(token('t1')));
      await get();
      expect(server.requests[0]?.headers.authorization).to.equal('Bearer t1');
    });

    it('with a client certificate, on watches too', async () => {
      connect({}, new ChangingCredential(certificate(authority.issue('alice'))));
      await get();
      const stream = await transport.stream({ path: '/' });
      await stream.close();
      expect(server.requests.map((request) => request.clientName)).to.deep.equal(['alice', 'alice']);
    });

    it('with a changed token at once, on the same connection', async () => {
      const credential = new ChangingCredential(token('t1'));
      connect({}, credential);
      await get();
      credential.material = token('t2');
      await get();
      expect(server.requests.map((request) => request.headers.authorization)).to.deep.equal(['Bearer t1', 'Bearer t2']);
      expect(server.connections).to.equal(1);
    });

    it('with a changed certificate at once, on a new connection', async () => {
      const credential = new ChangingCredential(certificate(authority.issue('alice')));
      connect({}, credential);
      await get();
      await get();
      credential.material = certificate(authority.issue('bob'));
      await get();
      expect(server.requests.map((request) => request.clientName)).to.deep.equal(['alice', 'alice', 'bob']);
      expect(server.connections).to.equal(2);
    });

    it('and lets requests on the old connections end when the certificate changes', async () => {
      const credential = new ChangingCredential(certificate(authority.issue('alice')));
      connect({}, credential, 2);
      let finish = (): void => undefined;
      server.handler = (request, response) => {
        if (request.path === '/slow') finish = () => sendJson(response, {});
        else sendJson(response, {});
      };
      const slow = transport.request({ method: 'GET', path: '/slow' });
      while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      credential.material = certificate(authority.issue('bob'));
      await get();
      finish();
      expect((await slow).statusCode).to.equal(200);
    });
  });

  describe('when the server answers 401', () => {
    beforeEach(() => {
      server.handler = (request, response) => {
        if (request.headers.authorization === 'Bearer good') sendJson(response, {});
        else sendStatus(response, 401, 'Unauthorized');
      };
    });

    it('asks for a new credential and repeats the request once, a write too', async () => {
      const credential = new ChangingCredential(token('old'));
      credential.next = token('good');
      connect({}, credential);
      expect((await transport.request({ method: 'POST', path: '/' })).statusCode).to.equal(200);
      expect([credential.refusals, server.requests.length]).to.deep.equal([1, 2]);
    });

    it('does not repeat it with the same credential', async () => {
      const credential = new ChangingCredential(token('old'));
      connect({}, credential);
      expect(await get()).to.equal(401);
      expect([credential.refusals, server.requests.length]).to.deep.equal([1, 1]);
    });

    it('does not go on for ever when the new one is refused too', async () => {
      const credential = new ChangingCredential(token('old'));
      credential.next = token('also old');
      connect({}, credential);
      expect(await get()).to.equal(401);
      expect(server.requests).to.have.length(2);
    });

    it('does the same for watches', async () => {
      const credential = new ChangingCredential(token('old'));
      credential.next = token('good');
      connect({}, credential);
      const stream = await transport.stream({ path: '/' });
      expect([stream.statusCode, server.requests.length]).to.deep.equal([200, 2]);
      await stream.close();
    });
  });

  describe('through a proxy', () => {
    let proxy: ConnectProxy;

    beforeEach(async () => {
      proxy = await ConnectProxy.start();
    });

    afterEach(() => proxy.close());

    function proxied(more: Parameters<typeof accessTo>[1] = {}, credential?: Credential): void {
      connect({ proxyUrl: new Secret(`http://user:p%40ss@127.0.0.1:${proxy.port}`), ...more }, credential);
    }

    it('reaches the server, with its own TLS end to end', async () => {
      proxied({}, new ChangingCredential({ ...token('t'), ...certificate(authority.issue('alice')) }));
      expect(await get()).to.equal(200);
      expect(proxy.tunnels).to.deep.equal([`127.0.0.1:${server.port}`]);
      expect(server.requests[0]).to.have.property('clientName', 'alice');
    });

    it('identifies itself to the proxy, and only to the proxy', async () => {
      proxied();
      await get();
      expect(proxy.authorization).to.equal(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
      expect(server.requests[0]?.headers).not.to.have.property('proxy-authorization');
    });

    it('keeps its connections', async () => {
      proxied();
      for (let i = 0; i < 5; i++) await get();
      expect(proxy.tunnels).to.have.length(1);
    });

    it('checks the server all the same', async () => {
      proxied({ certificateAuthority: createAuthority().certificate });
      expect(await failure()).to.match(/cannot connect/);
      expect(server.requests).to.have.length(0);
    });

    it('expects the name that is given instead', async () => {
      await server.close();
      await serve(authority.issue('other', { names: 'DNS:api.example.com' }));
      proxied({ tlsServerName: 'api.example.com' });
      expect(await get()).to.equal(200);
    });

    it('has watches with a connection of their own', async () => {
      proxied();
      await get();
      const stream = await transport.stream({ path: '/' });
      expect([stream.statusCode, proxy.tunnels.length]).to.deep.equal([200, 2]);
      await stream.close();
    });

    it('says so when the proxy refuses, without its password', async () => {
      proxy.refuseWith = 403;
      proxied();
      expect(await failure()).to.match(/cannot connect.*403/);
      expect(await failure()).not.to.contain('p@ss');
    });

    it('says so when there is no proxy, without its password', async () => {
      await proxy.close();
      connect({ proxyUrl: new Secret('http://user:secretpw@127.0.0.1:1') });
      expect(await failure()).to.match(/cannot connect/);
      expect(await failure()).not.to.contain('secretpw');
      proxy = await ConnectProxy.start();
    });
  });
});

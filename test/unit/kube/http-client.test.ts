import { expect } from 'chai';
import type { Pod } from '../../../src/apis/core.js';
import type { KubeClient } from '../../../src/kube/client.js';
import { ApiError, isConflict, isExpired, isNotFound } from '../../../src/kube/api-error.js';
import { createKubeClient, type KubeClientOptions } from '../../../src/kube/http-client.js';
import type { RequestSample } from '../../../src/kube/request-observer.js';
import { metadataOf, nodes, pods, tokenRequests } from '../../../src/kube/resource.js';
import { createTransport, type KubeTransport } from '../../../src/kube/transport.js';
import { accessTo, HttpApiServer, sendJson, sendStatus } from '../../support/http-api-server.js';
import { waitFor } from '../../support/wait-for.js';

const POD: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'ns', uid: 'u1' } };
const REF = { namespace: 'ns', name: 'p' };

describe('HttpKubeClient', () => {
  let server: HttpApiServer;
  let transport: KubeTransport;
  let client: KubeClient;

  beforeEach(async () => {
    server = await HttpApiServer.start();
    server.handler = (_request, response) => sendJson(response, POD);
    transport = createTransport({ access: accessTo(server) });
    client = createKubeClient(transport);
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

  function use(options: KubeClientOptions): KubeClient {
    client = createKubeClient(transport, options);
    return client;
  }

  /** `METHOD path?query` of the last request. */
  function last(): string {
    const request = server.requests.at(-1);
    const query = request?.query.size ? `?${decodeURIComponent(request.query.toString())}` : '';
    return `${request?.method} ${request?.path}${query}`;
  }

  function lastBody(): unknown {
    return JSON.parse(server.requests.at(-1)?.body ?? '');
  }

  async function errorOf(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      () => expect.fail('it should have failed'),
      (error: unknown) => error,
    );
  }

  describe('get', () => {
    it('reads an object', async () => {
      expect(await client.get(pods, REF)).to.deep.equal(POD);
      expect(last()).to.equal('GET /api/v1/namespaces/ns/pods/p');
    });

    it('reads objects without namespace', async () => {
      await client.get(nodes, { name: 'n/1' });
      expect(last()).to.equal('GET /api/v1/nodes/n%2F1');
    });

    it('fails with what the server says', async () => {
      server.handler = (_request, response) => sendStatus(response, 404, 'NotFound', { details: { kind: 'pods' } });
      const error = await errorOf(client.get(pods, REF));
      expect(error).to.be.instanceOf(ApiError);
      expect([isNotFound(error), (error as ApiError).details?.kind]).to.deep.equal([true, 'pods']);
    });

    it('fails on an answer that is not JSON, without quoting it', async () => {
      server.handler = (_request, response) => void response.end('hunter2');
      const error = (await errorOf(client.get(pods, REF))) as ApiError;
      expect([error.code, error.message.includes('hunter2')]).to.deep.equal(['API_ERROR', false]);
    });

    it('can be given up', async () => {
      server.handler = () => undefined;
      const reason = new Error('stop');
      const giveUp = new AbortController();
      const promise = errorOf(client.get(pods, REF, { signal: giveUp.signal }));
      await waitFor('the request', () => server.requests.length === 1);
      giveUp.abort(reason);
      expect(await promise).to.equal(reason);
    });

    it('has a deadline of its own when asked', async () => {
      server.handler = () => undefined;
      expect(await errorOf(client.get(pods, REF, { timeoutMs: 20 }))).to.have.property('code', 'API_TIMEOUT');
    });
  });

  describe('list', () => {
    it('asks with selectors and for pages', async () => {
      server.handler = (_request, response) =>
        sendJson(response, {
          metadata: { resourceVersion: '7', continue: 'c2' },
          items: [{ metadata: { name: 'a' } }],
        });
      const page = await client.list(pods, {
        namespace: 'ns',
        labelSelector: 'a=b',
        fieldSelector: 'spec.nodeName=n',
        limit: 1,
        continueToken: 'c1',
        resourceVersion: '5',
        resourceVersionMatch: 'NotOlderThan',
      });
      expect(last()).to.equal(
        'GET /api/v1/namespaces/ns/pods?labelSelector=a=b&fieldSelector=spec.nodeName=n&limit=1&continue=c1&resourceVersion=5&resourceVersionMatch=NotOlderThan',
      );
      expect([page.resourceVersion, page.continueToken]).to.deep.equal(['7', 'c2']);
    });

    it('gives objects their kind, which the API server leaves out in lists', async () => {
      server.handler = (_request, response) => sendJson(response, { items: [{ metadata: { name: 'a' } }] });
      const { items } = await client.list(pods);
      expect(items).to.deep.equal([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }]);
      expect(last()).to.equal('GET /api/v1/pods');
    });

    it('is empty when the server says null', async () => {
      server.handler = (_request, response) => sendJson(response, { items: null, metadata: { resourceVersion: '1' } });
      expect(await client.list(pods)).to.deep.equal({ items: [], resourceVersion: '1' });
    });
  });

  describe('writes', () => {
    it('creates, with all options', async () => {
      await client.create(pods, POD, { dryRun: true, fieldManager: 'me', fieldValidation: 'Strict' });
      expect(last()).to.equal('POST /api/v1/namespaces/ns/pods?dryRun=All&fieldManager=me&fieldValidation=Strict');
      expect(lastBody()).to.deep.equal(POD);
      expect(server.requests[0]?.headers['content-type']).to.equal('application/json');
    });

    it('creates subresources below their object', async () => {
      await client.create(pods, POD, { subresource: 'eviction' });
      expect(last()).to.equal('POST /api/v1/namespaces/ns/pods/p/eviction');
    });

    it('creates objects whose name the server makes up', async () => {
      await client.create(pods, { metadata: { generateName: 'p-', namespace: 'ns' } });
      expect(last()).to.equal('POST /api/v1/namespaces/ns/pods');
    });

    it('updates objects and their status', async () => {
      await client.update(pods, POD);
      expect(last()).to.equal('PUT /api/v1/namespaces/ns/pods/p');
      await client.update(pods, POD, { subresource: 'status' });
      expect(last()).to.equal('PUT /api/v1/namespaces/ns/pods/p/status');
    });

    const patches = [
      ['json', 'application/json-patch+json'],
      ['merge', 'application/merge-patch+json'],
      ['strategic', 'application/strategic-merge-patch+json'],
      ['apply', 'application/apply-patch+yaml'],
    ] as const;
    for (const [type, contentType] of patches) {
      it(`patches with ${contentType}`, async () => {
        await client.patch(pods, REF, [{ x: 1 }], { type });
        expect(last()).to.equal('PATCH /api/v1/namespaces/ns/pods/p');
        expect(lastBody()).to.deep.equal([{ x: 1 }]);
        expect(server.requests[0]?.headers['content-type']).to.equal(contentType);
      });
    }

    it('takes fields over by force only with server-side apply', async () => {
      await client.patch(pods, REF, {}, { type: 'apply', force: true, fieldManager: 'me', subresource: 'status' });
      expect(last()).to.equal('PATCH /api/v1/namespaces/ns/pods/p/status?fieldManager=me&force=true');
      await client.patch(pods, REF, {}, { type: 'merge', force: true });
      expect(last()).to.equal('PATCH /api/v1/namespaces/ns/pods/p');
    });

    it('names its field manager on every write that names none', async () => {
      use({ fieldManager: 'mine' });
      await client.create(pods, POD);
      expect(last()).to.contain('?fieldManager=mine');
      await client.update(pods, POD, { fieldManager: 'other' });
      expect(last()).to.contain('?fieldManager=other');
    });

    it('deletes whatever the server sends back for it', async () => {
      server.handler = (_request, response) => void response.end('{"kind":"Pod", and so on');
      await client.delete(pods, REF);
      expect(server.requests[0]?.method).to.equal('DELETE');
    });

    it('deletes with options in the body', async () => {
      await client.delete(pods, REF, {
        gracePeriodSeconds: 0,
        preconditions: { uid: 'u1', resourceVersion: '5' },
        propagationPolicy: 'Background',
      });
      expect(last()).to.equal('DELETE /api/v1/namespaces/ns/pods/p');
      expect(lastBody()).to.deep.equal({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        gracePeriodSeconds: 0,
        preconditions: { uid: 'u1', resourceVersion: '5' },
        propagationPolicy: 'Background',
      });
    });

    it('leaves the grace period to the object when none is given', async () => {
      await client.delete(pods, REF);
      expect(lastBody()).to.deep.equal({ apiVersion: 'v1', kind: 'DeleteOptions' });
    });

    it('tells of conflicts', async () => {
      server.handler = (_request, response) => sendStatus(response, 409, 'Conflict');
      expect(isConflict(await errorOf(client.update(pods, POD)))).to.equal(true);
    });

    it('stop at a closed gate, while another client on the same connections goes on', async () => {
      const closed = { signal: AbortSignal.abort(), assertOpen: () => expect.fail('closed') };
      const gated = use({ gate: closed });
      for (const write of [
        () => gated.create(pods, POD),
        () => gated.update(pods, POD),
        () => gated.patch(pods, REF, {}, { type: 'merge' }),
        () => gated.delete(pods, REF),
      ]) {
        expect(await errorOf(write())).to.have.property('message', 'closed');
      }
      await gated.get(pods, REF);
      await createKubeClient(transport).create(pods, POD);
      expect(server.requests.map((request) => request.method)).to.deep.equal(['GET', 'POST']);
    });
  });

  describe('watch', () => {
    it('asks for bookmarks, and for what it is told', async () => {
      server.handler = (_request, response) => {
        response.end('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n');
      };
      const events = await client.watch(pods, {
        namespace: 'ns',
        labelSelector: 'a=b',
        resourceVersion: '5',
        timeoutSeconds: 300,
        signal: new AbortController().signal,
      });
      const names: unknown[] = [];
      for await (const event of events) names.push(event.object.metadata?.name);
      expect(names).to.deep.equal(['a']);
      expect(last()).to.equal(
        'GET /api/v1/namespaces/ns/pods?watch=true&allowWatchBookmarks=true&labelSelector=a=b&resourceVersion=5&timeoutSeconds=300',
      );
    });

    it('can ask for a streamed list', async () => {
      server.handler = (_request, response) => void response.end();
      const { signal } = new AbortController();
      await client.watch(pods, { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', signal });
      expect(last()).to.equal(
        'GET /api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true',
      );
    });

    it('fails with what the server says, and closes the connection', async () => {
      server.handler = (_request, response) => sendStatus(response, 410, 'Expired');
      const { signal } = new AbortController();
      expect(isExpired(await errorOf(client.watch(pods, { signal })))).to.equal(true);
      await waitFor('the end of the connection', () => server.openConnections === 0);
    });

    it('says how long to wait when it is refused for the moment', async () => {
      server.handler = (_request, response) => sendStatus(response, 429, 'x', { headers: { 'retry-after': '9' } });
      const { signal } = new AbortController();
      expect(await errorOf(client.watch(pods, { signal }))).to.have.property('retryAfterSeconds', 9);
    });

    it('closes the connection when it is given up', async () => {
      server.handler = (_request, response) => void response.write(' ');
      const giveUp = new AbortController();
      const events = await client.watch(pods, { signal: giveUp.signal });
      const reason = new Error('stop');
      const end = errorOf(events[Symbol.asyncIterator]().next());
      giveUp.abort(reason);
      expect(await end).to.equal(reason);
      await waitFor('the end of the connection', () => server.openConnections === 0);
    });
  });

  describe('of a type of which only metadata is wanted', () => {
    const type = metadataOf(pods);
    const ONE = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
    const accepted = (): unknown => server.requests.at(-1)?.headers.accept;

    it('asks for nothing else in reads', async () => {
      await client.get(type, REF);
      expect(accepted()).to.equal(ONE);
      server.handler = (_request, response) => sendJson(response, { items: [POD], metadata: { resourceVersion: '7' } });
      await client.list(type);
      expect(accepted()).to.equal('application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1');
    });

    it('asks for nothing else in watches', async () => {
      const stop = new AbortController();
      server.handler = (_request, response) => {
        response.writeHead(200).flushHeaders();
      };
      await client.watch(type, { signal: stop.signal });
      expect(accepted()).to.equal(ONE);
      stop.abort();
    });

    it('asks for nothing else in answers to writes', async () => {
      for (const write of [
        () => client.create(type, POD),
        () => client.update(type, POD),
        () => client.patch(type, REF, {}, { type: 'merge' }),
      ]) {
        await write();
        expect(accepted()).to.equal(ONE);
      }
    });

    it('asks for whole objects of all other types', async () => {
      await client.get(pods, REF);
      expect(accepted()).to.equal('application/json');
    });
  });

  it('asks for tokens below their service account', async () => {
    await client.create(
      tokenRequests,
      { metadata: { namespace: 'ns', name: 'robot' }, spec: { audiences: [] } },
      { subresource: 'token' },
    );
    expect(last()).to.equal('POST /api/v1/namespaces/ns/serviceaccounts/robot/token');
  });

  describe('serverTime', () => {
    it("is what the server's clock says", async () => {
      server.handler = (_request, response) => {
        response.setHeader('date', 'Thu, 01 Jan 2026 00:00:07 GMT');
        sendJson(response, {});
      };
      expect(await client.serverTime()).to.equal(Date.parse('2026-01-01T00:00:07Z'));
      expect(last()).to.equal('GET /version');
    });

    it('fails when the server does not say', async () => {
      server.handler = (_request, response) => {
        response.sendDate = false;
        sendJson(response, {});
      };
      expect(await errorOf(client.serverTime())).to.include({ code: 'API_ERROR' });
    });
  });

  it('reads any path as text', async () => {
    server.handler = (_request, response) => void response.end('ok');
    expect(await client.getPath('/readyz?verbose')).to.equal('ok');
    expect(server.requests[0]?.headers.accept).to.equal('*/*');
  });

  describe('tells its observer', () => {
    let samples: RequestSample[];

    beforeEach(() => {
      samples = [];
      use({ cluster: 'm1', observer: (sample) => samples.push(sample) });
    });

    function heard(): string[] {
      return samples.map(({ cluster, verb, resource, code }) => `${cluster} ${verb} ${resource} ${code}`);
    }

    it('of every call, by verb and resource', async () => {
      await client.get(pods, REF);
      await client.create(pods, POD);
      await client.patch(pods, REF, {}, { type: 'strategic', subresource: 'status' });
      await client.patch(pods, REF, {}, { type: 'apply' });
      await client.delete(pods, REF);
      await client.list(pods);
      await client.getPath('/version');
      expect(heard()).to.deep.equal([
        'm1 get pods 200',
        'm1 create pods 200',
        'm1 patch pods/status 200',
        'm1 apply pods 200',
        'm1 delete pods 200',
        'm1 list pods 200',
        'm1 path  200',
      ]);
      for (const { seconds } of samples) expect(seconds).to.be.within(0, 5);
    });

    it('of failures, with HTTP or error code', async () => {
      server.handler = (_request, response) => sendStatus(response, 409, 'Conflict');
      await errorOf(client.update(pods, POD));
      server.handler = () => undefined;
      await errorOf(client.get(pods, REF, { timeoutMs: 10 }));
      await errorOf(client.get(pods, REF, { signal: AbortSignal.abort(new Error('stop')) }));
      expect(heard()).to.deep.equal(['m1 update pods 409', 'm1 get pods API_TIMEOUT', 'm1 get pods ABORTED']);
    });
  });
});

import type { ServerResponse } from 'node:http';
import type { KubeObject } from '../../src/apis/core.js';
import { ApiError } from '../../src/kube/api-error.js';
import type { PatchType } from '../../src/kube/client.js';
import * as kosmosTypes from '../../src/kube/kosmos-resources.js';
import * as coreTypes from '../../src/kube/resource.js';
import type { ResourceType } from '../../src/kube/resource.js';
import { FORMER_KINDS } from '../../src/kosmosctl/adopt/former-kinds.js';
import * as ctlTypes from '../../src/kosmosctl/objects.js';
import { parseCall, type ApiCall } from './api-call.js';
import type { FakeKubeClient } from './fake-kube-client.js';
import { HttpApiServer, sendJson, type ReceivedRequest, type Upgrader } from './http-api-server.js';

type AnyType = ResourceType<KubeObject>;

/** What is asked by a SelfSubjectAccessReview. */
export interface AskedRight {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
}

const TYPES: readonly AnyType[] = [
  ...[coreTypes, kosmosTypes, ctlTypes].flatMap((module) =>
    Object.values(module as Readonly<Record<string, unknown>>).filter(
      (member): member is AnyType => typeof member === 'object' && member !== null && 'plural' in member,
    ),
  ),
  ...FORMER_KINDS.map(({ type }) => type),
];

const PATCHES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** A {@link FakeKubeClient} behind a real HTTP server, for code that opens its connections itself. */
export class ServedClient {
  readonly fake: FakeKubeClient;
  /** Whether whoever asks has a right. */
  allows: (right: AskedRight) => boolean = () => true;
  readonly #http: HttpApiServer;

  private constructor(fake: FakeKubeClient, http: HttpApiServer) {
    this.fake = fake;
    this.#http = http;
    http.handler = (request, response) => this.#handle(request, response);
  }

  static async start(fake: FakeKubeClient): Promise<ServedClient> {
    return new ServedClient(fake, await HttpApiServer.start());
  }

  get url(): string {
    return this.#http.url;
  }

  get requests(): readonly ReceivedRequest[] {
    return this.#http.requests;
  }

  /** Takes over the connections of those that want another protocol. */
  set upgrader(upgrader: Upgrader) {
    this.#http.upgrader = upgrader;
  }

  /** A kubeconfig for it. */
  kubeconfig(token = 'token-of-somebody'): string {
    return JSON.stringify({
      'current-context': 'c',
      clusters: [{ name: 'c', cluster: { server: this.url } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
      users: [{ name: 'c', user: { token } }],
    });
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #handle(request: ReceivedRequest, response: ServerResponse): Promise<void> {
    const headers = { date: new Date(this.fake.now()).toUTCString() };
    try {
      const answer = await this.#answer(request);
      if (typeof answer === 'string') response.writeHead(200, headers).end(answer);
      else sendJson(response, answer, { headers });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { statusCode: code, reason, details, message } = error;
      sendJson(response, { kind: 'Status', status: 'Failure', message, reason, code, details }, { code, headers });
    }
  }

  async #answer(request: ReceivedRequest): Promise<unknown> {
    const call = parseCall('', request.method, request.path);
    const type = typeOf(request.path, call);
    if (call.resource === 'selfsubjectaccessreviews') {
      const review = JSON.parse(request.body) as { spec: { resourceAttributes: AskedRight } };
      return { ...review, status: { allowed: this.allows(review.spec.resourceAttributes) } };
    }
    const isText = call.resource.startsWith('nodes/proxy') || /\/(log|exec)$/.test(call.resource);
    if (type === undefined || isText) return this.fake.getPath(request.path);
    return this.#call(type, call, request);
  }

  #call(type: AnyType, call: ApiCall, { query, body, headers }: ReceivedRequest): Promise<unknown> {
    const ref = { namespace: call.namespace, name: call.name ?? '' };
    const [, subresource] = call.resource.split('/');
    switch (call.verb) {
      case 'GET':
        return this.fake.get(type, ref);
      case 'LIST':
        return this.#list(type, call, query);
      case 'POST':
        return this.fake.create(type, JSON.parse(body) as KubeObject, {
          ...(subresource !== undefined && { subresource }),
        });
      case 'PUT':
        return this.fake.update(type, JSON.parse(body) as KubeObject);
      case 'PATCH': {
        const patch = PATCHES[headers['content-type'] ?? ''] ?? 'merge';
        const fieldManager = query.get('fieldManager') ?? undefined;
        const dryRun = query.get('dryRun') === 'All';
        return this.fake.patch(type, ref, JSON.parse(body) as unknown, { type: patch, fieldManager, dryRun });
      }
      default:
        return this.fake.delete(type, ref).then(() => ({ kind: 'Status', status: 'Success' }));
    }
  }

  async #list(type: AnyType, { namespace }: ApiCall, query: URLSearchParams): Promise<unknown> {
    const given = (name: string): string | undefined => query.get(name) ?? undefined;
    const { items, resourceVersion } = await this.fake.list(type, {
      ...(namespace !== undefined && { namespace }),
      labelSelector: given('labelSelector'),
      fieldSelector: given('fieldSelector'),
    });
    return { kind: `${type.kind}List`, metadata: { resourceVersion }, items };
  }
}

function typeOf(path: string, { resource }: ApiCall): AnyType | undefined {
  const [plural] = resource.split('/');
  return TYPES.find(
    (type) =>
      type.plural === plural && path.startsWith(`${type.apiVersion === 'v1' ? '/api' : '/apis'}/${type.apiVersion}/`),
  );
}

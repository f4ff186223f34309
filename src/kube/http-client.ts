import type { KubeObject } from '../apis/core.js';
import { type Clock, systemClock } from '../lib/clock.js';
import { FederationError } from '../lib/errors.js';
import { ApiError, apiErrorOf, parseRetryAfter } from './api-error.js';
import type {
  CallOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  ObjectList,
  PatchOptions,
  PatchType,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.js';
import type { Answer, AnswerHead } from './exchange.js';
import { type QueryValue, queryString, writeQuery } from './query.js';
import type { RequestObserver } from './request-observer.js';
import { type ObjectRef, resourcePath, type ResourceType } from './resource.js';
import type { ServerStream } from './server-stream.js';
import type { KubeTransport, TransportRequest } from './transport.js';
import { WatchStream } from './watch-stream.js';
import type { WriteGate } from './write-gate.js';

/** Settings of one client; several clients may share a transport, and with it connections and rate limit. */
export interface KubeClientOptions {
  /** Lets leader election stop the writes of this client. */
  readonly gate?: WriteGate | undefined;
  /** `low` waits for all other requests to the cluster. @default 'normal' */
  readonly priority?: 'normal' | 'low' | undefined;
  /** Used by every write that doesn't name its own. */
  readonly fieldManager?: string | undefined;
  /** The name of the cluster in metrics. */
  readonly cluster?: string | undefined;
  readonly observer?: RequestObserver | undefined;
  /** A watch without any byte for this time is taken for dead. @default 90000 */
  readonly watchSilenceMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

const JSON_TYPE = 'application/json';

const PATCH_CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** An error page longer than this is not read to its end. */
const LONGEST_ERROR_BYTES = 1 << 20;

/** What a call is called in metrics. */
interface Label {
  readonly verb: string;
  /** Plural name, with the subresource. */
  readonly resource: string;
}

/** Requests for these carry credentials. */
const CONFIDENTIAL: ReadonlySet<string> = new Set(['secrets', 'serviceaccounts/token', 'clusters', 'tokenreviews']);

interface Write {
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly content: unknown;
  readonly contentType?: string;
  readonly accept?: string | undefined;
}

interface RawList<T> {
  readonly items?: readonly T[] | null;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

export function createKubeClient(transport: KubeTransport, options: KubeClientOptions = {}): KubeClient {
  return new HttpKubeClient(transport, options);
}

/** KubeClient over HTTP. `close` closes the transport, so only its owner should call it. */
export class HttpKubeClient implements KubeClient {
  readonly #transport: KubeTransport;
  readonly #options: KubeClientOptions;
  readonly #clock: Clock;

  constructor(transport: KubeTransport, options: KubeClientOptions = {}) {
    this.#transport = transport;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, options: CallOptions = {}): Promise<T> {
    const request = { method: 'GET', path: resourcePath(type, ref), accept: acceptOf(type) } as const;
    return this.#call<T>(request, label('get', type), options);
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const query = queryString({
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      limit: options.limit,
      continue: options.continueToken,
      resourceVersion: options.resourceVersion,
      resourceVersionMatch: options.resourceVersionMatch,
    });
    const path = resourcePath(type, { namespace: options.namespace }) + query;
    const request = { method: 'GET', path, accept: acceptOf(type, 'List') } as const;
    const list = await this.#call<RawList<T>>(request, label('list', type), options);
    const { apiVersion, kind } = type;
    return {
      // Objects in lists lack what is the same for all of them; here they look as from `get` and `watch`.
      items: (list.items ?? []).map((item) => (item.kind === undefined ? { apiVersion, kind, ...item } : item)),
      resourceVersion: list.metadata?.resourceVersion ?? '',
      ...(list.metadata?.continue && { continueToken: list.metadata.continue }),
    };
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name = '' } = object.metadata ?? {};
    // Subresources (bindings, evictions, tokens) hang below an object; plain creates go to the collection.
    const ref = options.subresource === undefined ? { namespace } : { namespace, name };
    const path = resourcePath(type, ref, options.subresource) + this.#writeQuery(options);
    return this.#write<T>(
      { method: 'POST', path, content: object, accept: acceptOf(type) },
      label('create', type, options.subresource),
      options,
    );
  }

  update<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name = '' } = object.metadata ?? {};
    const path = resourcePath(type, { namespace, name }, options.subresource) + this.#writeQuery(options);
    return this.#write<T>(
      { method: 'PUT', path, content: object, accept: acceptOf(type) },
      label('update', type, options.subresource),
      options,
    );
  }

  patch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: unknown,
    options: PatchOptions,
  ): Promise<T> {
    const query = this.#writeQuery(options, { force: options.type === 'apply' ? options.force : undefined });
    const path = resourcePath(type, ref, options.subresource) + query;
    const verb = options.type === 'apply' ? 'apply' : 'patch';
    const contentType = PATCH_CONTENT_TYPES[options.type];
    const write = { method: 'PATCH', path, content: patch, contentType, accept: acceptOf(type) } as const;
    return this.#write<T>(write, label(verb, type, options.subresource), options);
  }

  async delete<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { gracePeriodSeconds, preconditions, propagationPolicy } = options;
    const content = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds,
      preconditions,
      propagationPolicy,
    };
    const request = { method: 'DELETE', path: resourcePath(type, ref), contentType: JSON_TYPE } as const;
    // The answer, mostly the whole object once more, is not worth decoding.
    await this.#send({ ...request, body: JSON.stringify(content) }, label('delete', type), options);
  }

  async watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions,
  ): Promise<AsyncIterable<WatchEvent<T>>> {
    const query = queryString({
      watch: true,
      allowWatchBookmarks: true,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      resourceVersion: options.resourceVersion,
      resourceVersionMatch: options.resourceVersionMatch,
      sendInitialEvents: options.sendInitialEvents,
      timeoutSeconds: options.timeoutSeconds,
    });
    const path = resourcePath(type, { namespace: options.namespace }) + query;
    const { signal } = options;
    const what = label('watch', type);
    const stream = await this.#observe(what, async () => {
      const opened = await this.#transport.stream({ path, accept: acceptOf(type), signal });
      if (opened.statusCode !== 200) throw failure(opened, await readError(opened), what);
      return { value: opened, statusCode: opened.statusCode };
    });
    return new WatchStream<T>(stream, {
      clock: this.#clock,
      silenceMs: this.#options.watchSilenceMs ?? 90_000,
      signal,
    });
  }

  async getPath(path: string, options: CallOptions = {}): Promise<string> {
    const request = { method: 'GET', path, accept: '*/*' } as const;
    const answer = await this.#send(request, { verb: 'path', resource: '' }, options);
    return answer.body.toString('utf8');
  }

  async serverTime(options: CallOptions = {}): Promise<number> {
    const request = { method: 'GET', path: '/version' } as const;
    const { headers } = await this.#send(request, { verb: 'path', resource: '' }, options);
    const time = Date.parse(String(headers['date']));
    if (Number.isNaN(time)) throw new FederationError('API_ERROR', 'the API server does not say what time it is');
    return time;
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #writeQuery(options: WriteOptions, more: Readonly<Record<string, QueryValue>> = {}): string {
    return writeQuery({ ...options, fieldManager: options.fieldManager ?? this.#options.fieldManager }, more);
  }

  #write<T>(write: Write, what: Label, options: CallOptions): Promise<T> {
    const { method, path, content, contentType = JSON_TYPE, accept } = write;
    return this.#call<T>({ method, path, contentType, accept, body: JSON.stringify(content) }, what, options);
  }

  async #call<T>(request: TransportRequest, what: Label, options: CallOptions): Promise<T> {
    const answer = await this.#send(request, what, options);
    try {
      return JSON.parse(answer.body.toString('utf8')) as T;
    } catch {
      // The parser's own message quotes the body, which may hold a Secret.
      throw new FederationError('API_ERROR', `the API server answered ${what.verb} with something that is not JSON`);
    }
  }

  #send(request: TransportRequest, what: Label, options: CallOptions): Promise<Answer> {
    const { signal, timeoutMs } = options;
    const { priority, gate } = this.#options;
    return this.#observe(what, async () => {
      const answer = await this.#transport.request({ ...request, priority, gate, signal, timeoutMs });
      const { statusCode } = answer;
      if (statusCode < 200 || statusCode > 299) throw failure(answer, answer.body.toString('utf8'), what);
      return { value: answer, statusCode };
    });
  }

  async #observe<R>(what: Label, call: () => Promise<{ readonly value: R; readonly statusCode: number }>): Promise<R> {
    const startedAt = this.#clock.monotonic();
    let code = 'ABORTED';
    try {
      const { value, statusCode } = await call();
      code = String(statusCode);
      return value;
    } catch (error) {
      if (error instanceof ApiError) code = String(error.statusCode);
      else if (error instanceof FederationError) code = error.code;
      throw error;
    } finally {
      const seconds = (this.#clock.monotonic() - startedAt) / 1000;
      this.#options.observer?.({ cluster: this.#options.cluster ?? '', ...what, code, seconds });
    }
  }
}

/** Undefined for whole objects in JSON. */
function acceptOf(type: ResourceType<KubeObject>, suffix = ''): string | undefined {
  return type.metadataOnly === true ? `${JSON_TYPE};as=PartialObjectMetadata${suffix};g=meta.k8s.io;v=v1` : undefined;
}

function label(verb: string, type: ResourceType<KubeObject>, subresource?: string): Label {
  return { verb, resource: subresource === undefined ? type.plural : `${type.plural}/${subresource}` };
}

function failure(head: AnswerHead, body: string, { resource }: Label): ApiError {
  const retryAfter = head.headers['retry-after'];
  const retryAfterSeconds = parseRetryAfter(Array.isArray(retryAfter) ? retryAfter[0] : retryAfter);
  return apiErrorOf(head.statusCode, body, { retryAfterSeconds, confidential: CONFIDENTIAL.has(resource) });
}

/** The body of a failed watch; whatever goes wrong on the way, the HTTP code is known already and says enough. */
async function readError(stream: ServerStream): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for (let size = 0; size < LONGEST_ERROR_BYTES;) {
      const chunk = await stream.read();
      if (!chunk) break;
      chunks.push(chunk);
      size += chunk.length;
    }
  } catch {
    chunks.length = 0;
  }
  await stream.close();
  return Buffer.concat(chunks).toString('utf8');
}

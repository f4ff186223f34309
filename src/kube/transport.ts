import type { Dispatcher } from 'undici';
import { type Clock, systemClock } from '../lib/clock.js';
import { type AbortScope, type AbortSource, openAbortScope } from './abort-scope.js';
import { parseRetryAfter } from './api-error.js';
import type { ClusterAccess } from './cluster-access.js';
import type { AuthMaterial, ClientCertificate } from './credential.js';
import { createDispatchers, type DispatcherOptions, type Dispatchers } from './dispatchers.js';
import { type Answer, ConnectionError, exchange, type WireHeaders, type WireRequest } from './exchange.js';
import { RequestLimiter } from './request-limiter.js';
import { openStream, openUpgrade, type ServerStream, type UpgradeOutcome } from './server-stream.js';
import { TransportError } from './transport-error.js';
import { gateClosedError, type WriteGate } from './write-gate.js';

/** Settings of a transport; the defaults suit one member cluster. */
export interface TransportOptions {
  readonly access: ClusterAccess;
  readonly userAgent?: string | undefined;
  /** Requests per second on the long run. @default 200 */
  readonly qps?: number | undefined;
  /** Requests at once after a quiet time. @default 400 */
  readonly burst?: number | undefined;
  /** Connections for requests, and so the number of requests under way. @default 32 */
  readonly connections?: number | undefined;
  /** Limit of a whole request with all its waiting and retries. @default 30000 */
  readonly timeoutMs?: number | undefined;
  /** @default 10000 */
  readonly connectTimeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** What goes with any request. */
interface BaseRequest {
  /** Path with query, below the server's URL. */
  readonly path: string;
  readonly accept?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** One request with an answer of bounded size. */
export interface TransportRequest extends BaseRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly contentType?: string | undefined;
  readonly body?: string | undefined;
  /** `low` waits for everything else. @default 'normal' */
  readonly priority?: 'normal' | 'low' | undefined;
  /** Asked for everything but GET. */
  readonly gate?: WriteGate | undefined;
}

/** A GET whose answer is read while it comes in. `timeoutMs` is for the head of the answer only. */
export type StreamRequest = BaseRequest;

/**
 * A request to switch protocols, for instance to SPDY. `timeoutMs` is for the head of the answer only. Leader election
 * does not stop it: it changes nothing in the API.
 */
export interface UpgradeRequest extends BaseRequest {
  readonly method: 'GET' | 'POST';
  /** As in the `Upgrade` header, for instance `SPDY/3.1`. */
  readonly protocol: string;
  /** Further headers, names in lower case. */
  readonly headers: WireHeaders;
}

/** Raw access to one API server. All answers are given back, failures too; only what never got one is an error. */
export interface KubeTransport {
  /**
   * Repeated: what the server itself refused for the moment (429 and 503 with `Retry-After`; a 401 once, with a new
   * credential) and a GET, once, on a kept-alive connection that turned out to be dead. A write that broke off after it
   * was sent is never repeated, since nobody knows whether it was carried out: the caller gets a TransportError with
   * `mayHaveArrived`.
   */
  request(request: TransportRequest): Promise<Answer>;
  /** Opens a connection of its own; it is closed when the stream's `close` is called or the signal is aborted. */
  stream(request: StreamRequest): Promise<ServerStream>;
  /**
   * Opens a connection of its own and asks to switch protocols there. Once switched, it is the caller's: neither the
   * signal nor `close` ends it.
   */
  upgrade(request: UpgradeRequest): Promise<UpgradeOutcome>;
  /** Ends all connections; everything under way fails. */
  close(): Promise<void>;
}

const MAX_RETRIES = 10;

export function createTransport(options: TransportOptions): KubeTransport {
  return new UndiciTransport(options);
}

class UndiciTransport implements KubeTransport {
  readonly #access: ClusterAccess;
  readonly #origin: string;
  readonly #pathPrefix: string;
  readonly #baseHeaders: WireHeaders;
  readonly #limiter: RequestLimiter;
  readonly #timeoutMs: number;
  readonly #dispatcherOptions: DispatcherOptions;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #current: { readonly certificate: ClientCertificate | undefined; readonly dispatchers: Dispatchers } | undefined;

  constructor(options: TransportOptions) {
    const url = new URL(options.access.server);
    const connections = options.connections ?? 32;
    this.#access = options.access;
    this.#origin = url.origin;
    this.#pathPrefix = url.pathname.replace(/\/+$/, '');
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#dispatcherOptions = { connections, connectTimeoutMs: options.connectTimeoutMs ?? 10_000 };
    this.#baseHeaders = {
      'user-agent': options.userAgent ?? 'kosmos',
      ...groupHeaders(options.access.impersonation ?? []),
    };
    this.#limiter = new RequestLimiter({
      qps: options.qps ?? 200,
      burst: options.burst ?? 400,
      maxInFlight: connections,
      clock: this.#clock,
    });
  }

  async request(request: TransportRequest): Promise<Answer> {
    const gate = request.method === 'GET' ? undefined : request.gate;
    gate?.assertOpen();
    const scope = this.#openScope(request, gate && [{ signal: gate.signal, error: () => gateClosedError(gate) }]);
    try {
      return await this.#requestWithRetries(request, scope);
    } finally {
      scope.dispose();
    }
  }

  async stream(request: StreamRequest): Promise<ServerStream> {
    const stops = [this.#closing.signal, ...(request.signal ? [request.signal] : [])];
    return this.#openOnce(request, async (material, signal) => {
      const dispatcher = this.#dispatchersFor(material).openSingle();
      const stream = await openStream(dispatcher, this.#wireRequest(request, 'GET', material), signal, stops);
      return { opened: stream, answer: stream };
    });
  }

  async upgrade(request: UpgradeRequest): Promise<UpgradeOutcome> {
    const { method, protocol } = request;
    return this.#openOnce(request, async (material, signal) => {
      const dispatcher = this.#dispatchersFor(material).openSingle();
      const wire = { ...this.#wireRequest(request, method, material), upgrade: protocol };
      const outcome = await openUpgrade(dispatcher, wire, signal);
      return { opened: outcome, answer: outcome.switched ? undefined : outcome.answer };
    });
  }

  /** What is opened on a connection of its own; tried again when the credential turns out to be refused. */
  async #openOnce<R>(
    request: BaseRequest,
    open: (material: AuthMaterial, signal: AbortSignal) => Promise<{ opened: R; answer: ServerStream | undefined }>,
  ): Promise<R> {
    const scope = this.#openScope(request);
    try {
      for (let isRepeated = false; ; isRepeated = true) {
        await this.#limiter.acquire('stream', scope.signal);
        const material = await this.#access.credential.current(scope.signal);
        const { opened, answer } = await open(material, scope.signal);
        if (answer?.statusCode !== 401) return opened;
        this.#access.credential.refused(material);
        if (isRepeated) return opened;
        await answer.close();
      }
    } finally {
      scope.dispose();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new TransportError('API_UNREACHABLE', 'the client is closed', { mayHaveArrived: true }));
    await this.#current?.dispatchers.requests.destroy();
    this.#current = undefined;
  }

  async #requestWithRetries(request: TransportRequest, scope: AbortScope): Promise<Answer> {
    const retried = { unauthorized: false, stale: false };
    for (let retries = 0; ;) {
      let outcome: { readonly answer: Answer; readonly material: AuthMaterial };
      try {
        outcome = await this.#attempt(request, scope.signal);
      } catch (error) {
        if (retried.stale || !isStaleConnection(request, error) || scope.signal.aborted) throw error;
        retried.stale = true;
        continue;
      }
      const { answer, material } = outcome;
      if (answer.statusCode === 401 && !retried.unauthorized) {
        retried.unauthorized = true;
        this.#access.credential.refused(material);
        if ((await this.#access.credential.current(scope.signal)) !== material) continue;
      }
      const waitMs = retryDelayMs(answer);
      if (waitMs === undefined || retries >= MAX_RETRIES || waitMs >= scope.remainingMs()) return answer;
      retries += 1;
      await this.#clock.sleep(waitMs, scope.signal);
    }
  }

  async #attempt(
    request: TransportRequest,
    signal: AbortSignal,
  ): Promise<{ readonly answer: Answer; readonly material: AuthMaterial }> {
    const release = await this.#limiter.acquire(request.priority ?? 'normal', signal);
    let handedOver = false;
    try {
      const material = await this.#access.credential.current(signal);
      const dispatcher = this.#dispatchersFor(material).requests;
      const wire = this.#wireRequest(request, request.method, material);
      // From here on undici's end of the request frees its place: one that is given up while it waits for its
      // connection still occupies that connection.
      handedOver = true;
      return { answer: await exchange(dispatcher, wire, signal, release), material };
    } finally {
      if (!handedOver) release();
    }
  }

  #wireRequest(
    request: TransportRequest | StreamRequest | UpgradeRequest,
    method: Dispatcher.HttpMethod,
    material: AuthMaterial,
  ): WireRequest {
    const headers: WireHeaders = { ...this.#baseHeaders, accept: request.accept ?? 'application/json' };
    if ('headers' in request) Object.assign(headers, request.headers);
    if (material.authorization) headers['authorization'] = material.authorization.reveal();
    const { contentType, body, gate } = request as Partial<TransportRequest>;
    if (contentType !== undefined) headers['content-type'] = contentType;
    const beforeSend = method === 'GET' || !gate ? undefined : () => gate.assertOpen();
    return { origin: this.#origin, method, path: this.#pathPrefix + request.path, headers, body, beforeSend };
  }

  /** A changed client certificate needs new connections; requests on the old ones may finish. */
  #dispatchersFor(material: AuthMaterial): Dispatchers {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
    const certificate = material.clientCertificate;
    if (this.#current?.certificate === certificate && this.#current) return this.#current.dispatchers;
    const old = this.#current;
    this.#current = { certificate, dispatchers: createDispatchers(this.#access, certificate, this.#dispatcherOptions) };
    old?.dispatchers.requests.close().catch(() => undefined);
    return this.#current.dispatchers;
  }

  #openScope(request: BaseRequest, more: readonly AbortSource[] = []): AbortScope {
    const timeoutMs = request.timeoutMs ?? this.#timeoutMs;
    return openAbortScope([{ signal: request.signal }, ...more, { signal: this.#closing.signal }], {
      clock: this.#clock,
      timeoutMs,
      error: () => new TransportError('API_TIMEOUT', `no answer within ${timeoutMs} ms`, { mayHaveArrived: true }),
    });
  }
}

/** A header may be there several times (groups to impersonate). */
function groupHeaders(pairs: readonly (readonly [string, string])[]): WireHeaders {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of pairs) (headers[name] ??= []).push(value);
  return headers;
}

/**
 * Only reads: of a write that was sent nobody knows whether it arrived. (A write whose connection is found closed before
 * it is sent gets another connection from undici itself.)
 */
function isStaleConnection(request: TransportRequest, error: unknown): boolean {
  return request.method === 'GET' && error instanceof ConnectionError && error.mayHaveArrived && !error.answered;
}

/**
 * How long the server wants us to wait before the same request; undefined when the answer is final. 429 and 503 mean
 * that nothing was done, so writes are repeated as well.
 */
function retryDelayMs(answer: Answer): number | undefined {
  if (answer.statusCode !== 429 && answer.statusCode !== 503) return undefined;
  const header = answer.headers['retry-after'];
  const seconds = parseRetryAfter(Array.isArray(header) ? header[0] : header);
  return seconds === undefined ? undefined : seconds * 1000;
}

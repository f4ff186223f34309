import type { ServerResponse } from 'node:http';
import type { KubeObject } from '../../src/apis/core.js';
import { objectKey } from '../../src/kube/resource.js';
import { HttpApiServer, type ReceivedRequest, sendJson, sendStatus } from './http-api-server.js';

interface HistoryEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

interface Watcher {
  readonly response: ServerResponse;
  /** Events up to here were sent. */
  sent: number;
}

/**
 * The list and watch half of an API server, over real HTTP: one collection, versions that grow with each change, paged
 * lists of one snapshot, watches from any version that was not compacted away. Tests change objects and break things.
 */
export class FakeApiServer {
  readonly http: HttpApiServer;
  /** What lists and watches do next instead of their work; once each, in order. */
  readonly listFaults: ((request: ReceivedRequest, response: ServerResponse) => void)[] = [];
  readonly watchFaults: ((request: ReceivedRequest, response: ServerResponse) => void)[] = [];
  /** While true, changes are not sent to watchers. */
  stalled = false;
  /** Knows `sendInitialEvents`. */
  watchListEnabled = true;
  readonly #objects = new Map<string, KubeObject>();
  readonly #watchers = new Set<Watcher>();
  readonly #snapshots = new Map<string, { readonly items: readonly KubeObject[]; readonly version: number }>();
  #history: HistoryEvent[] = [];
  #version = 100;
  #compactedTo = 100;

  private constructor(http: HttpApiServer) {
    this.http = http;
    http.handler = (request, response) => this.#handle(request, response);
  }

  static async start(): Promise<FakeApiServer> {
    return new FakeApiServer(await HttpApiServer.start());
  }

  get version(): number {
    return this.#version;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  get lists(): readonly ReceivedRequest[] {
    return this.http.requests.filter((request) => !request.query.has('watch'));
  }

  get watches(): readonly ReceivedRequest[] {
    return this.http.requests.filter((request) => request.query.has('watch'));
  }

  /** All objects, as a fresh list would show them. */
  list(): KubeObject[] {
    return [...this.#objects.values()];
  }

  /** Creates or replaces an object; gives it back with its new version. */
  put(name: string, fields: Readonly<Record<string, unknown>> = {}): KubeObject {
    const old = this.#objects.get(`default/${name}`);
    this.#version += 1;
    const object = {
      apiVersion: 'v1',
      kind: 'Pod',
      ...fields,
      metadata: {
        name,
        namespace: 'default',
        uid: old?.metadata?.uid ?? `uid-${this.#version}`,
        ...(fields['metadata'] as object | undefined),
        resourceVersion: String(this.#version),
      },
    } as KubeObject;
    this.#objects.set(objectKey(object), object);
    this.#record({ version: this.#version, type: old ? 'MODIFIED' : 'ADDED', object });
    return object;
  }

  remove(name: string): void {
    const object = this.#objects.get(`default/${name}`);
    if (!object) return;
    this.#version += 1;
    this.#objects.delete(`default/${name}`);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#record({ version: this.#version, type: 'DELETED', object: last });
  }

  /** Forgets the history: watches from older versions get 410, and so do tokens of next pages. */
  compact(): void {
    this.#history = [];
    this.#compactedTo = this.#version;
    this.#snapshots.clear();
  }

  /** As after the restore of a backup: versions begin again further down. */
  restore(version: number): void {
    this.#version = version;
    for (const [key, object] of this.#objects) {
      const metadata = { ...object.metadata, resourceVersion: String(version) };
      this.#objects.set(key, { ...object, metadata });
    }
    this.compact();
    this.cut();
  }

  bookmark(annotations?: Readonly<Record<string, string>>): void {
    this.#version += 1;
    for (const watcher of this.#watchers) this.#sendBookmark(watcher, annotations);
  }

  /** Writes text to all watches as it is. */
  sendRaw(text: string): void {
    for (const { response } of this.#watchers) response.write(text);
  }

  /** Sends an event again, or one out of order. */
  sendEvent(type: string, object: unknown): void {
    this.sendRaw(`${JSON.stringify({ type, object })}\n`);
  }

  /** Ends all watches cleanly. */
  endWatches(): void {
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  /** Cuts all connections. */
  cut(): void {
    this.http.cutConnections();
  }

  /** Sends what a stall held back. */
  flush(): void {
    this.stalled = false;
    for (const watcher of this.#watchers) this.#send(watcher);
  }

  close(): Promise<void> {
    return this.http.close();
  }

  #record(event: HistoryEvent): void {
    this.#history.push(event);
    if (!this.stalled) for (const watcher of this.#watchers) this.#send(watcher);
  }

  #handle(request: ReceivedRequest, response: ServerResponse): void {
    const faults = request.query.has('watch') ? this.watchFaults : this.listFaults;
    const fault = faults.shift();
    if (fault) fault(request, response);
    else if (request.query.has('watch')) this.#watch(request, response);
    else this.#list(request, response);
  }

  #list({ query }: ReceivedRequest, response: ServerResponse): void {
    const token = query.get('continue');
    let [items, version, offset] = [this.list(), this.#version, 0];
    if (token !== null) {
      const [id = '', start = '0'] = token.split('/');
      const snapshot = this.#snapshots.get(id);
      if (!snapshot) {
        sendStatus(response, 410, 'Expired');
        return;
      }
      [items, version, offset] = [[...snapshot.items], snapshot.version, Number(start)];
    }
    const end = offset + Number(query.get('limit') ?? Infinity);
    const id = String(version);
    this.#snapshots.set(id, { items, version });
    const more = end < items.length ? { continue: `${id}/${end}` } : {};
    // As in the real thing, objects in lists have neither kind nor apiVersion.
    const page = items.slice(offset, end).map(({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest);
    sendJson(response, { kind: 'PodList', metadata: { resourceVersion: String(version), ...more }, items: page });
  }

  #watch({ query }: ReceivedRequest, response: ServerResponse): void {
    const initial = query.get('sendInitialEvents') === 'true';
    if (initial && !this.watchListEnabled) {
      sendStatus(response, 422, 'Invalid');
      return;
    }
    const from = Number(query.get('resourceVersion') ?? 0);
    if (!initial && from < this.#compactedTo) {
      sendStatus(response, 410, 'Expired');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watcher: Watcher = { response, sent: initial ? this.#version : from };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
    if (initial) {
      for (const object of this.list()) response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
      this.#sendBookmark(watcher, { 'k8s.io/initial-events-end': 'true' });
    }
    if (!this.stalled) this.#send(watcher);
  }

  #send(watcher: Watcher): void {
    for (const { version, type, object } of this.#history) {
      if (version <= watcher.sent) continue;
      watcher.sent = version;
      watcher.response.write(`${JSON.stringify({ type, object })}\n`);
    }
  }

  #sendBookmark({ response }: Watcher, annotations?: Readonly<Record<string, string>>): void {
    const metadata = { resourceVersion: String(this.#version), ...(annotations && { annotations }) };
    response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { kind: 'Pod', apiVersion: 'v1', metadata } })}\n`);
  }
}

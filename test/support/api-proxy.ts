import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parse, stringify } from 'yaml';
import type { LabCluster } from '../../hack/lab/cluster.js';
import { parseCall, type ApiCall } from './api-call.js';
import type { TestAuthority } from './certificates.js';

/** Asked at each request; may take its time. `cut` breaks the client's connection. */
export type ProxyHook = (call: ApiCall, phase: 'before' | 'after') => Promise<'pass' | 'cut'> | 'pass' | 'cut';

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/**
 * Stands between a program and an API server, ends TLS, and so sees each request before the API server does and each
 * answer before the program does. Towards the API server it has all rights; the program's own credential is not used.
 */
export class ApiProxy {
  /** Kubeconfig of the way through this proxy. */
  readonly kubeconfig: string;
  readonly #cluster: string;
  readonly #hook: ProxyHook;
  readonly #answers: Readonly<Record<string, object>>;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #upstream: string;
  #underWay = 0;

  private constructor(server: Server, options: ProxyOptions) {
    const { cluster, authority, address, hook, answers = {} } = options;
    const admin = parse(readFileSync(cluster.kubeconfigPath, 'utf8')) as Kubeconfig;
    const decode = (value: string | undefined): Buffer => Buffer.from(value ?? '', 'base64');
    const user = admin.users[0]?.user;
    const upstream = admin.clusters[0]?.cluster;
    this.#server = server;
    this.#cluster = cluster.name;
    this.#hook = hook;
    this.#answers = answers;
    this.#upstream = upstream?.['server'] ?? '';
    this.#agent = new Agent({
      keepAlive: true,
      ca: decode(upstream?.['certificate-authority-data']),
      cert: decode(user?.['client-certificate-data']),
      key: decode(user?.['client-key-data']),
    });
    const name = `proxy-of-${cluster.name}`;
    const server_ = `https://${address}:${(server.address() as AddressInfo).port}`;
    const certificate = Buffer.from(authority.certificate).toString('base64');
    this.kubeconfig = stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server: server_, 'certificate-authority-data': certificate } }],
      users: [{ name, user: { token: 'of-no-use' } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    });
    server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
      this.#underWay += 1;
      this.#serve(incoming, outgoing)
        .catch(() => outgoing.destroy())
        .finally(() => (this.#underWay -= 1));
    });
  }

  /** Listens on the address, which must be one that the program can reach. */
  static async start(options: ProxyOptions): Promise<ApiProxy> {
    const { authority, address } = options;
    const { certificate, key } = authority.issue('proxy', { names: `IP:${address}` });
    const server = createServer({ cert: certificate, key, keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    return new ApiProxy(server, options);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }

  /** How many calls have begun and are not answered yet; a watch is answered when it has begun. */
  get underWay(): number {
    return this.#underWay;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const call = parseCall(this.#cluster, incoming.method ?? 'GET', incoming.url ?? '/');
    const body = await readAll(incoming);
    if ((await this.#hook(call, 'before')) === 'cut') return void outgoing.destroy();
    const own = this.#answers[call.path];
    if (own !== undefined) {
      return void outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(own));
    }
    const answer = await this.#forward(incoming, body, call.verb === 'WATCH' ? outgoing : undefined);
    const answerBody = call.verb === 'WATCH' ? undefined : await readAll(answer);
    if ((await this.#hook(call, 'after')) === 'cut') return void outgoing.destroy();
    outgoing.writeHead(answer.statusCode ?? 502, withoutHopHeaders(answer.headers));
    if (answerBody !== undefined) return void outgoing.end(answerBody);
    outgoing.flushHeaders();
    answer.on('error', () => outgoing.destroy());
    answer.pipe(outgoing);
  }

  /** A write goes on when the client dies, as it does in an API server; a watch ends with its client. */
  #forward(incoming: IncomingMessage, body: Buffer, watcher?: ServerResponse): Promise<IncomingMessage> {
    const { authorization: _authorization, host: _host, ...headers } = incoming.headers;
    return new Promise((resolve, reject) => {
      const options = { method: incoming.method ?? 'GET', headers: withoutHopHeaders(headers), agent: this.#agent };
      const upstream = request(`${this.#upstream}${incoming.url ?? '/'}`, options, resolve);
      upstream.on('error', reject);
      watcher?.on('close', () => upstream.destroy());
      upstream.end(body);
    });
  }
}

export interface ProxyOptions {
  readonly cluster: LabCluster;
  readonly authority: TestAuthority;
  readonly address: string;
  readonly hook: ProxyHook;
  /** What is answered at these paths, in the API server's place. */
  readonly answers?: Readonly<Record<string, object>>;
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function withoutHopHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection: _connection, 'transfer-encoding': _encoding, 'keep-alive': _keepAlive, ...rest } = headers;
  return rest;
}

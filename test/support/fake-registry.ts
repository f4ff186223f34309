import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../../src/kosmosctl/image/digest.js';

export interface FakeRegistryOptions {
  readonly tls?: ServerOptions;
  /** Wants this user; by `basic`, or by a token that it gives itself. */
  readonly login?: { readonly scheme: 'basic' | 'bearer'; readonly username: string; readonly password: string };
}

/** A request as it came. */
export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly bytes: number;
}

/** Returns true when it has taken over the answer. Called before the body of the request is read. */
type Hook = (request: IncomingMessage, response: ServerResponse) => boolean;

const TOKEN = 'token-of-the-registry';

/** A registry in memory, for what a real one can't be made to do. */
export class FakeRegistry {
  readonly blobs = new Map<string, Buffer>();
  /** By `repository:reference`. */
  readonly manifests = new Map<string, { readonly content: Buffer; readonly mediaType: string }>();
  readonly requests: SeenRequest[] = [];
  hook: Hook = () => false;
  readonly #options: FakeRegistryOptions;
  readonly #server: Server;

  private constructor(options: FakeRegistryOptions) {
    this.#options = options;
    const answer = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response);
    this.#server = options.tls === undefined ? createServer(answer) : createTlsServer(options.tls, answer);
  }

  static async start(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
    const registry = new FakeRegistry(options);
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  /** `host:port`. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get origin(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://${this.host}`;
  }

  /** `METHOD path` of all requests of that method. */
  paths(method: string): readonly string[] {
    return this.requests.filter((request) => request.method === method).map(({ url }) => url.pathname + url.search);
  }

  addBlob(content: Buffer): { readonly digest: string; readonly size: number } {
    const digest = digestOf(content);
    this.blobs.set(digest, content);
    return { digest, size: content.length };
  }

  addManifest(name: string, manifest: { readonly mediaType: string }): string {
    const content = Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(content);
    const [repository = ''] = name.split(':');
    for (const reference of [name, `${repository}:${digest}`]) {
      this.manifests.set(reference, { content, mediaType: manifest.mediaType });
    }
    return digest;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request;
    const url = new URL(request.url ?? '', this.origin);
    request.on('error', () => undefined);
    if (this.hook(request, response)) return;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    this.requests.push({ method, url, authorization: headers.authorization, bytes: body.length });
    if (url.pathname === '/token') this.#giveToken(headers.authorization, response);
    else if (!this.#isLoggedIn(headers.authorization)) this.#challenge(response);
    else this.#serve(url, request, response, body);
  }

  #serve(url: URL, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const [, repository = '', kind = '', rest = ''] =
      /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(url.pathname) ?? [];
    if (kind === 'manifests') this.#manifest(`${repository}:${rest}`, request, response, body);
    else if (kind === 'blobs') send(response, this.blobs.get(rest));
    else this.#upload(url, request, response, body);
  }

  #manifest(name: string, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    if (request.method === 'PUT') {
      const mediaType = request.headers['content-type'] ?? '';
      this.manifests.set(name, { content: body, mediaType });
      this.manifests.set(`${name.split(':')[0] ?? ''}:${digestOf(body)}`, { content: body, mediaType });
      response.writeHead(201, { 'docker-content-digest': digestOf(body) }).end();
      return;
    }
    const found = this.manifests.get(name);
    send(response, found?.content, found?.mediaType);
  }

  #upload(url: URL, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const mounted = url.searchParams.get('mount');
    if (request.method === 'POST') {
      if (mounted !== null && this.blobs.has(mounted)) response.writeHead(201).end();
      else response.writeHead(202, { location: `${url.pathname}1?state=a%3Db` }).end();
      return;
    }
    const digest = url.searchParams.get('digest') ?? '';
    const isRight = digestOf(body) === digest && url.searchParams.get('state') === 'a=b';
    if (isRight) this.blobs.set(digest, body);
    response.writeHead(isRight ? 201 : 400).end();
  }

  #isLoggedIn(authorization: string | undefined): boolean {
    const { login } = this.#options;
    if (login === undefined) return true;
    return authorization === (login.scheme === 'basic' ? basic(login) : `Bearer ${TOKEN}`);
  }

  #challenge(response: ServerResponse): void {
    const isBasic = this.#options.login?.scheme === 'basic';
    const header = isBasic ? 'Basic realm="here"' : `Bearer realm="${this.origin}/token",service="fake"`;
    response.writeHead(401, { 'www-authenticate': header }).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
  }

  #giveToken(authorization: string | undefined, response: ServerResponse): void {
    const { login } = this.#options;
    if (login === undefined || authorization !== basic(login)) response.writeHead(401).end();
    else response.end(JSON.stringify({ access_token: TOKEN }));
  }
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function send(response: ServerResponse, content: Buffer | undefined, type = 'application/octet-stream'): void {
  if (content === undefined) response.writeHead(404).end('{"errors":[{"code":"UNKNOWN"}]}');
  else response.writeHead(200, { 'content-type': type, 'content-length': content.length }).end(content);
}

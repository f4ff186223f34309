import { spawn, type ChildProcess } from 'node:child_process';
import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ensureSuite } from '../../hack/lab/binaries.js';
import { pinnedVersion, REGISTRY } from '../../hack/lab/programs.js';
import { createAuthority, type KeyPair } from './certificates.js';
import { eventually } from './eventually.js';

/** The one user of the registry. */
export const REGISTRY_USER = { username: 'robot', password: 'very-secret' } as const;
/** Her password as bcrypt has it; the registry takes no other form. */
const HTPASSWD = 'robot:$2y$05$abcdefghijklmnopqrstuuJlu1J7SD3rRuYlURnyVnj8wXy7Tqiui';
const SERVICE = 'registry of a test';
const ISSUER = 'a test';

/** A real registry (distribution) on this machine, with TLS, that wants to know who comes: by password, or by token. */
export class Registry {
  readonly host: string;
  /** File of the authority that has signed its certificate. */
  readonly authority: string;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #tokens: Server;

  private constructor(host: string, folder: string, child: ChildProcess, tokens: Server) {
    this.host = host;
    this.authority = join(folder, 'ca.pem');
    this.#folder = folder;
    this.#child = child;
    this.#tokens = tokens;
  }

  static async start(login: 'htpasswd' | 'token'): Promise<Registry> {
    const { registry = '' } = await ensureSuite(REGISTRY, pinnedVersion(REGISTRY), () => undefined);
    const folder = mkdtempSync(join(tmpdir(), 'kosmos-registry-'));
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const authority = createAuthority();
    const rootcertbundle = write('ca.pem', authority.certificate);
    const pair = authority.issue('registry');
    const tokens = await startTokenServer(pair);
    const host = `127.0.0.1:${await freePort()}`;
    const realm = `https://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`;
    const auth = {
      htpasswd: { realm: 'here', path: write('htpasswd', `${HTPASSWD}\n`) },
      token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle },
    };
    const tls = { certificate: write('tls.crt', pair.certificate), key: write('tls.key', pair.key) };
    const config = {
      ...{ version: 0.1, log: { level: 'warn' }, auth: { [login]: auth[login] } },
      storage: { filesystem: { rootdirectory: join(folder, 'data') } },
      http: { addr: host, tls },
    };
    const log = openSync(join(folder, 'log'), 'a');
    const file = write('config.yaml', stringify(config));
    const env = { ...process.env, OTEL_TRACES_EXPORTER: 'none' };
    const child = spawn(registry, ['serve', file], { stdio: ['ignore', log, log], env });
    await eventually(() => answers(host), { timeoutMs: 30_000 });
    return new Registry(host, folder, child, tokens);
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill();
    await exited;
    this.#tokens.closeAllConnections();
    this.#tokens.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Gives tokens to the one user (distribution's token specification), signed with the key of the certificate. */
async function startTokenServer({ certificate, key }: KeyPair): Promise<Server> {
  const { username, password } = REGISTRY_USER;
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'https://here');
    if (request.headers.authorization !== basic) response.writeHead(401).end();
    else response.end(JSON.stringify({ token: tokenFor(searchParams.getAll('scope'), certificate, key) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function tokenFor(scopes: readonly string[], certificate: string, key: string): string {
  const now = Math.floor(Date.now() / 1000);
  const access = scopes.map((scope) => {
    const [type, name, actions = ''] = scope.split(':');
    return { type, name, actions: actions.split(',') };
  });
  const x5c = [new X509Certificate(certificate).raw.toString('base64')];
  const times = { iat: now - 10, nbf: now - 10, exp: now + 300 };
  const claims = { iss: ISSUER, sub: REGISTRY_USER.username, aud: SERVICE, jti: 'one', ...times, access };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ typ: 'JWT', alg: 'ES256', x5c })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: createPrivateKey(key), dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(host: string): Promise<void> {
  const [address = '', port] = host.split(':');
  const socket = connect(Number(port), address);
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

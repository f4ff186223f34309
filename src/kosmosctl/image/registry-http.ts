import type { Readable } from 'node:stream';
import type * as Undici from 'undici';
import type { Dispatcher } from 'undici';
import { CliError } from '../failure.js';
import { basicAuthorization, tokenOf, tokenRequest } from './authorization.js';
import { chooseChallenge, parseChallenges, type Challenge } from './challenge.js';
import type { RegistryCredential } from './credentials.js';
import { apiHost } from './reference.js';
import { explainNoAnswer, explainRefusal, type Asked } from './registry-error.js';

export interface RegistryOptions {
  readonly registry: string;
  /** HTTP without TLS. */
  readonly plainHttp: boolean;
  /** PEM; those that Node knows when undefined. */
  readonly certificateAuthority: string | undefined;
  /** What a token is to allow, each as `repository:NAME:pull,push`. */
  readonly scopes: readonly string[];
  /** Looked for only when the registry wants to know. */
  readonly findCredential: () => Promise<RegistryCredential | undefined>;
  /** Of the program, for its proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** Absolute, or below the registry's own. */
  readonly url: string;
  /** In words, for messages: `read team/kosmos`. */
  readonly action: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for each try. */
  readonly body?: (() => Readable | Buffer) | undefined;
}

export interface RegistryAnswer extends Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'> {
  readonly url: URL;
}

const UNAUTHORIZED = 401;
const REDIRECTS = [301, 302, 303, 307, 308];
const MOST_REDIRECTS = 5;
const CONNECT_LIMIT_MS = 10_000;
/** A registry that has got a large blob looks at it before it answers. */
const ANSWER_LIMIT_MS = 120_000;
const SILENCE_LIMIT_MS = 60_000;
const LONGEST_REFUSAL = 4096;

/** Requests to one registry, with whatever it wants to be shown first. */
export class RegistryHttp {
  readonly #options: RegistryOptions;
  readonly #origin: string;
  /** Loaded when it is needed: no other command of the program is to pay for all of it. */
  #undici: Promise<Sender> | undefined;
  #authorization: string | undefined;
  #credential: RegistryCredential | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#origin = `${options.plainHttp ? 'http' : 'https'}://${apiHost(options.registry)}`;
  }

  /** Any answer but a 401, which is a CliError, as is no answer. Its body has to be read or dumped. */
  async send(request: RegistryRequest): Promise<RegistryAnswer> {
    const url = new URL(request.url, this.#origin);
    const first = await this.#follow(request, url);
    if (first.statusCode !== UNAUTHORIZED) return first;
    const challenge = chooseChallenge(parseChallenges(first.headers['www-authenticate']));
    await first.body.dump();
    this.#credential ??= await this.#options.findCredential();
    this.#authorization = await this.#authorize(challenge, request.action);
    const second = await this.#follow(request, url);
    if (second.statusCode === UNAUTHORIZED) throw await this.refused(second, request.action);
    return second;
  }

  /** What an answer means that is not the one that was hoped for. */
  async refused({ statusCode, body }: RegistryAnswer, action: string): Promise<CliError> {
    return explainRefusal({ statusCode, text: await startOf(body) }, this.#asked(action));
  }

  async close(): Promise<void> {
    await (await this.#undici)?.dispatcher.destroy();
  }

  #asked(action: string): Asked {
    return { registry: this.#options.registry, action, username: this.#credential?.username };
  }

  async #authorize(challenge: Challenge | undefined, action: string): Promise<string> {
    const refusal = { statusCode: UNAUTHORIZED, text: '' };
    if (challenge === undefined) throw explainRefusal(refusal, this.#asked(action));
    if (challenge.scheme === 'basic') {
      if (this.#credential === undefined) throw explainRefusal(refusal, this.#asked(action));
      return basicAuthorization(this.#credential);
    }
    return `Bearer ${await this.#fetchToken(challenge, action)}`;
  }

  async #fetchToken(challenge: Challenge, action: string): Promise<string> {
    const { registry, plainHttp, scopes } = this.#options;
    const request = tokenRequest(challenge, this.#credential, scopes);
    const isSafe = request?.url.protocol === 'https:' || (plainHttp && request?.url.protocol === 'http:');
    if (request === undefined || !isSafe) {
      throw new CliError(`the registry ${registry} names no safe address at which tokens are given`);
    }
    const { url, ...more } = request;
    const answer = await this.#once(url, { ...more, body: request.body });
    if (answer.statusCode !== 200) throw await this.refused(answer, action);
    const token = tokenOf(await answer.body.text());
    if (token === undefined) throw new CliError(`${url.host}, which gives tokens for ${registry}, has given none`);
    return token;
  }

  /** Reading may go on elsewhere; what was shown to the registry is shown to nobody else. */
  async #follow(request: RegistryRequest, start: URL): Promise<RegistryAnswer> {
    const { method, headers, body } = request;
    let url = start;
    for (let redirects = 0; ; redirects += 1) {
      const isOwn = url.origin === this.#origin;
      const shown = isOwn && this.#authorization !== undefined ? { authorization: this.#authorization } : {};
      const answer = await this.#once(url, { method, headers: { ...headers, ...shown }, body: body?.() });
      const { location } = answer.headers;
      const isOver = method === 'POST' || method === 'PUT' || !REDIRECTS.includes(answer.statusCode);
      if (isOver || typeof location !== 'string' || redirects === MOST_REDIRECTS) return answer;
      await answer.body.dump();
      url = new URL(location, url);
    }
  }

  async #once(url: URL, { method, headers, body }: WireRequest): Promise<RegistryAnswer> {
    const { signal } = this.#options;
    this.#undici ??= openSender(this.#options);
    const { request, dispatcher } = await this.#undici;
    try {
      const sent = { 'user-agent': 'kosmosctl', ...headers };
      const answer = await request(url, { dispatcher, method, headers: sent, body: body ?? null, signal });
      return { ...pick(answer), url };
    } catch (error) {
      if (signal.aborted) throw error;
      throw explainNoAnswer(error, url.host);
    }
  }
}

interface WireRequest {
  readonly method: RegistryRequest['method'];
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readable | Buffer | string | undefined;
}

interface Sender {
  readonly dispatcher: Dispatcher;
  readonly request: typeof Undici.request;
}

function pick({ statusCode, headers, body }: Dispatcher.ResponseData): Omit<RegistryAnswer, 'url'> {
  return { statusCode, headers, body };
}

async function openSender({ certificateAuthority: ca, environment }: RegistryOptions): Promise<Sender> {
  const { EnvHttpProxyAgent, request } = await import('undici');
  const variable = (name: string): string => environment[name] ?? environment[name.toUpperCase()] ?? '';
  const tls = ca === undefined ? {} : { ca };
  const dispatcher = new EnvHttpProxyAgent({
    ...{ httpProxy: variable('http_proxy'), httpsProxy: variable('https_proxy'), noProxy: variable('no_proxy') },
    ...{ connect: { ...tls, timeout: CONNECT_LIMIT_MS }, requestTls: tls, allowH2: false },
    ...{ headersTimeout: ANSWER_LIMIT_MS, bodyTimeout: SILENCE_LIMIT_MS },
  });
  return { dispatcher, request };
}

/** The beginning of a body, which may be anything. */
async function startOf(body: RegistryAnswer['body']): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += (chunk as Buffer).toString('utf8');
    if (text.length >= LONGEST_REFUSAL) break;
  }
  return text.slice(0, LONGEST_REFUSAL);
}

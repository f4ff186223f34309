import { Agent, request } from 'node:https';
import { readAccess } from './kubeconfig.js';

/** An answer of an API server that is no success. */
export class LabApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'LabApiError';
    this.status = status;
  }
}

/** Options of a request. */
export interface ApiRequestOptions {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** @default 'application/json' */
  readonly contentType?: string;
  /** @default 15000 */
  readonly timeoutMs?: number;
}

/** A plain client for one API server: enough to set up tests without the product's own client. */
export class LabApi {
  readonly #server: string;
  readonly #agent: Agent;
  readonly #headers: Record<string, string>;

  /** Reads server and credential from a kubeconfig that the lab wrote. */
  constructor(kubeconfig: string) {
    const { server, token, ca, cert, key } = readAccess(kubeconfig);
    this.#server = server;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#agent = new Agent({ keepAlive: true, maxSockets: 16, ca, cert, key });
  }

  /** Sends a request and returns the answer's text. @throws LabApiError when the status isn't 2xx. */
  text(method: string, path: string, options: ApiRequestOptions = {}): Promise<string> {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const headers = { ...this.#headers, 'content-type': options.contentType ?? 'application/json' };
    return new Promise((done, failed) => {
      const timeout = options.timeoutMs ?? 15_000;
      const outgoing = request(`${this.#server}${path}`, { method, headers, agent: this.#agent, timeout }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', failed);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const status = answer.statusCode ?? 0;
          if (status >= 200 && status < 300) done(text);
          else failed(new LabApiError(status, `${method} ${path}: HTTP ${status}: ${text.slice(0, 2000)}`));
        });
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in ${timeout} ms`)));
      outgoing.on('error', failed);
      outgoing.end(body);
    });
  }

  /** As {@link text}, with the answer's JSON decoded. */
  async json(method: string, path: string, options: ApiRequestOptions = {}): Promise<unknown> {
    return JSON.parse(await this.text(method, path, options)) as unknown;
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy();
  }
}

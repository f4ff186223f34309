import type * as Http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../lib/clock.js';
import { withDeadline } from '../lib/deadline.js';
import { errorMessage } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { createServer } from '../lib/node-http.js';

/** Resolves when all is well, and rejects with the reason when not. Called for each probe; must be cheap. */
export type HealthCheck = (signal: AbortSignal) => Promise<void> | void;

/** Which probes ask a check: `livez` restarts the process on failure, `readyz` takes it out of its Services. */
export type HealthProbe = 'livez' | 'readyz';

/** How a health server is made. */
export interface HealthServerOptions {
  /** Address to listen on, for instance `0.0.0.0` or `::`. */
  readonly address: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What `/metrics` answers. */
  readonly metrics?: { readonly contentType: string; render(): Promise<string> } | undefined;
  /** A check that takes longer has failed; default 5 s. */
  readonly checkTimeoutMs?: number | undefined;
}

/** What a probe asks. */
interface Question {
  readonly path: string;
  readonly probes: readonly HealthProbe[];
  /** One check alone. */
  readonly only: string | undefined;
  readonly query: URLSearchParams;
}

const PATHS: ReadonlyMap<string, readonly HealthProbe[]> = new Map([
  ['livez', ['livez']],
  ['readyz', ['readyz']],
  ['healthz', ['livez', 'readyz']],
]);

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

const TEXT = 'text/plain; charset=utf-8';

interface Outcome {
  readonly name: string;
  readonly ok: boolean;
}

/** Connections that don't end by themselves are cut after this time. */
const CLOSE_TIMEOUT_MS = 1000;

/**
 * Serves `/livez`, `/readyz` (and `/healthz`, all checks) and `/metrics` in the manner of the Kubernetes API server:
 * plain text, `?verbose` lists the checks, `?exclude=NAME` leaves one out, `/readyz/NAME` asks a single one. Reasons of
 * failures go to the log only, since anybody can ask.
 */
export class HealthServer {
  readonly #options: HealthServerOptions;
  readonly #checks = new Map<string, { readonly check: HealthCheck; readonly probes: readonly HealthProbe[] }>();
  #server: Http.Server | undefined;

  constructor(options: HealthServerOptions) {
    this.#options = options;
    this.addCheck('ping', ['livez', 'readyz'], () => undefined);
  }

  /** Adds a check, or replaces the one of the same name. Returns a function that removes it. */
  addCheck(name: string, probes: readonly HealthProbe[], check: HealthCheck): () => void {
    const entry = { check, probes };
    this.#checks.set(name, entry);
    return () => {
      if (this.#checks.get(name) === entry) this.#checks.delete(name);
    };
  }

  /** Where it listens; undefined when it doesn't. */
  get address(): AddressInfo | undefined {
    return (this.#server?.address() ?? undefined) as AddressInfo | undefined;
  }

  /** Starts listening; rejects when the port can't be had. */
  async listen(): Promise<AddressInfo> {
    const server = createServer((request, response) => {
      void this.#handle(request)
        .catch((error: unknown) => {
          this.#options.logger.error('health server failed', { error: errorMessage(error) });
          return { status: 500, body: 'this went wrong\n' };
        })
        .then((answer) => send(response, answer));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#options.port, this.#options.address, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => this.#options.logger.error('health server failed', { error: errorMessage(error) }));
    this.#server = server;
    return server.address() as AddressInfo;
  }

  /** Lets requests in flight end, for a second at most, and frees the port. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const timer = this.#options.clock.schedule(CLOSE_TIMEOUT_MS, () => server.closeAllConnections());
    await closed;
    timer.cancel();
  }

  async #handle({ url: asked = '/', method }: Http.IncomingMessage): Promise<Answer> {
    const url = URL.parse(asked, 'http://server');
    if (url === null) return { status: 400, body: 'this is no path\n' };
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'only GET is allowed\n' };
    const { metrics } = this.#options;
    if (url.pathname === '/metrics' && metrics !== undefined) {
      return { status: 200, body: await metrics.render(), type: metrics.contentType };
    }
    const [, path = '', only, ...more] = url.pathname.split('/');
    const probes = PATHS.get(path);
    if (probes === undefined || more.length > 0) return { status: 404, body: 'not found\n' };
    return this.#answer({ path, probes, only: only === '' ? undefined : only, query: url.searchParams });
  }

  async #answer({ path, probes, only, query }: Question): Promise<Answer> {
    const excluded = query.getAll('exclude');
    const names = [...this.#checks]
      .filter(([name, entry]) => entry.probes.some((probe) => probes.includes(probe)) && (only ?? name) === name)
      .map(([name]) => name)
      .filter((name) => !excluded.includes(name));
    if (only !== undefined && names.length === 0) return { status: 404, body: 'no such check\n' };
    const outcomes = await Promise.all(names.map((name) => this.#check(path, name)));
    const healthy = outcomes.every(({ ok }) => ok);
    const verbose = query.has('verbose') || !healthy;
    return { status: healthy ? 200 : 500, body: verbose ? report(path, outcomes, healthy) : 'ok' };
  }

  async #check(probe: string, name: string): Promise<Outcome> {
    const { clock, checkTimeoutMs = 5000, logger } = this.#options;
    const entry = this.#checks.get(name);
    try {
      await withDeadline(clock, checkTimeoutMs, async (signal) => entry?.check(signal));
      return { name, ok: true };
    } catch (error) {
      logger.warn('health check failed', { probe, check: name, error: errorMessage(error) });
      return { name, ok: false };
    }
  }
}

/** By hand, since there is so little to it: express and what it needs would take 4 MiB in each agent. */
function send(response: Http.ServerResponse, { status, body, type = TEXT }: Answer): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { 'content-type': type, 'content-length': length, 'x-content-type-options': 'nosniff' });
  response.end(body);
}

function report(path: string, outcomes: readonly Outcome[], healthy: boolean): string {
  const lines = outcomes.map(({ name, ok }) => (ok ? `[+]${name} ok` : `[-]${name} failed: reason withheld`));
  return [...lines, `${path} check ${healthy ? 'passed' : 'failed'}`, ''].join('\n');
}

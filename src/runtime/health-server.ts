import type * as Http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import express, { type Request, type Response } from 'express';
import type { Clock } from '../lib/clock.js';
import { withDeadline } from '../lib/deadline.js';
import { errorMessage } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';

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

interface Outcome {
  readonly name: string;
  readonly ok: boolean;
}

/** Importing it as an ES module would load all that it exports, Node's own fetch and WebSocket too: 10 MB. */
const { createServer } = createRequire(import.meta.url)('node:http') as typeof Http;

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
    const server = createServer(this.#app());
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

  #app(): express.Express {
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    const paths: readonly (readonly [string, readonly HealthProbe[]])[] = [
      ['livez', ['livez']],
      ['readyz', ['readyz']],
      ['healthz', ['livez', 'readyz']],
    ];
    for (const [path, probes] of paths) {
      app.get(`/${path}`, (request, response) => this.#answer(path, probes, request, response));
      app.get(`/${path}/:check`, (request, response) => this.#answer(path, probes, request, response));
    }
    const { metrics } = this.#options;
    if (metrics !== undefined) {
      app.get('/metrics', async (_request, response) => {
        const body = await metrics.render();
        response.set('content-type', metrics.contentType).send(body);
      });
    }
    return app;
  }

  async #answer(
    path: string,
    probes: readonly HealthProbe[],
    request: Request<{ check?: string }>,
    response: Response,
  ): Promise<void> {
    const only = request.params.check;
    const excluded = [request.query['exclude'] ?? []].flat();
    const names = [...this.#checks]
      .filter(([name, entry]) => entry.probes.some((probe) => probes.includes(probe)) && (only ?? name) === name)
      .map(([name]) => name)
      .filter((name) => !excluded.includes(name));
    response.set({ 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' });
    if (only !== undefined && names.length === 0) {
      response.status(404).send('no such check\n');
      return;
    }
    const outcomes = await Promise.all(names.map((name) => this.#check(path, name)));
    const healthy = outcomes.every(({ ok }) => ok);
    const verbose = 'verbose' in request.query || !healthy;
    response.status(healthy ? 200 : 500).send(verbose ? report(path, outcomes, healthy) : 'ok');
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

function report(path: string, outcomes: readonly Outcome[], healthy: boolean): string {
  const lines = outcomes.map(({ name, ok }) => (ok ? `[+]${name} ok` : `[-]${name} failed: reason withheld`));
  return [...lines, `${path} check ${healthy ? 'passed' : 'failed'}`, ''].join('\n');
}

import type { Socket } from 'node:net';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { errorMessage } from '../../lib/errors.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import type { AccessGate } from './access-gate.js';
import { EndpointError, type NodeEndpoint, type NodeHandler, type NodeRoutes, type ServedNode } from './endpoint.js';
import type { KubeletObserver } from './observer.js';
import { parseTarget } from './target.js';

export interface AppOptions {
  readonly gate: Pick<AccessGate, 'check'>;
  readonly endpoints: readonly NodeEndpoint[];
  /** The virtual node whose port a connection came to. */
  readonly nodeOf: (socket: Socket) => ServedNode | undefined;
  /** Aborted when the server has waited long enough for requests under way. */
  readonly stop: AbortSignal;
  readonly observer: Pick<KubeletObserver, 'request'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Ordinary requests to all virtual nodes: who asks, may they, and which endpoint answers. */
export function createApp(options: AppOptions): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const router = express.Router({ caseSensitive: true });
  const routes = new Routes(router, options);
  app.use((request, response, next) => observed(options, request, response, next));
  app.use((request, _response, next) => checked(options, request, next));
  app.use(router);
  for (const endpoint of options.endpoints) endpoint.register(routes);
  routes.refuseOtherMethods();
  app.use(() => {
    throw new EndpointError(404, '404 page not found');
  });
  // Express tells error handlers by their four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    failed(options, error, request, response),
  );
  return app;
}

class Routes implements NodeRoutes {
  readonly #router: express.Router;
  readonly #options: AppOptions;
  readonly #paths = new Set<string>();

  constructor(router: express.Router, options: AppOptions) {
    this.#router = router;
    this.#options = options;
  }

  get(path: string, handler: NodeHandler): void {
    this.#router.get(path, this.#adapt(path, handler));
  }

  post(path: string, handler: NodeHandler): void {
    this.#router.post(path, this.#adapt(path, handler));
  }

  all(path: string, handler: NodeHandler): void {
    this.#router.all(path, this.#adapt(path, handler));
  }

  /** To be called when all endpoints are registered. */
  refuseOtherMethods(): void {
    for (const path of this.#paths) {
      this.#router.all(path, () => {
        throw new EndpointError(405, 'Method Not Allowed');
      });
    }
  }

  #adapt(path: string, handler: NodeHandler): RequestHandler {
    this.#paths.add(path);
    const { nodeOf, stop } = this.#options;
    return async (request, response) => {
      const node = nodeOf(request.socket);
      if (node === undefined) throw new EndpointError(503, 'the node is not served any more');
      const gone = new AbortController();
      response.once('close', () => gone.abort(new Error('the client has gone')));
      const signal = AbortSignal.any([gone.signal, stop]);
      await handler(node, { request, response, signal });
    };
  }
}

function observed(
  { observer, clock, nodeOf }: AppOptions,
  request: Request,
  response: Response,
  next: NextFunction,
): void {
  const startedAt = clock.monotonic();
  const cluster = nodeOf(request.socket)?.cluster ?? '';
  const endpoint = endpointOf(request.path);
  response.once('close', () => {
    observer.request(cluster, endpoint, response.statusCode, (clock.monotonic() - startedAt) / 1000);
  });
  next();
}

/** Requests are counted by these names; whatever else is asked for must not make new series. */
const ENDPOINTS = [
  ...['attach', 'configz', 'containerLogs', 'exec', 'healthz', 'logs', 'metrics', 'pods'],
  ...['portForward', 'runningpods', 'stats'],
];

/** The name of an endpoint in metrics. */
export function endpointOf(path: string): string {
  const [, first = ''] = path.split('/');
  return ENDPOINTS.includes(first) ? first : 'other';
}

async function checked({ gate, nodeOf }: AppOptions, request: Request, next: NextFunction): Promise<void> {
  const target = parseTarget(request.url);
  if (target === undefined) throw new EndpointError(400, 'Bad Request: the path is not a plain one');
  const node = nodeOf(request.socket);
  if (node === undefined) throw new EndpointError(503, 'the node is not served any more');
  await gate.check(request, node.name, target);
  next();
}

function failed({ logger, stop }: AppOptions, error: unknown, request: Request, response: Response): void {
  const isExpected = error instanceof EndpointError || stop.aborted || response.destroyed;
  if (!isExpected) {
    logger.error('a request to the kubelet API failed', { path: request.path, error: errorMessage(error) });
  }
  // Cutting the connection tells the client that the answer is not complete.
  if (response.headersSent) response.destroy();
  else answer(response, error instanceof EndpointError ? error : new EndpointError(500, 'Internal Server Error'));
}

function answer(response: Response, { statusCode, message }: EndpointError): void {
  response.status(statusCode).set({ 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' });
  response.send(`${message}\n`);
}

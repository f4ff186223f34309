import { once } from 'node:events';
import type { ServerStream } from '../../kube/server-stream.js';
import { isDnsLabel, isDnsSubdomain } from '../../lib/label-syntax.js';
import { EndpointError, type NodeEndpoint, type NodeExchange, type NodeRoutes, type ServedNode } from './endpoint.js';
import { parseLogQuery } from './log-options.js';
import { readRefusal, refusalError, unreachable } from './member-failure.js';
import type { KubeletObserver } from './observer.js';
import { findPod, type FoundPod } from './pod-lookup.js';
import type { Sessions } from './sessions.js';
import { parseTarget } from './target.js';

export interface ContainerLogsOptions {
  readonly sessions: Pick<Sessions, 'open'>;
  readonly observer: Pick<KubeletObserver, 'bytes'>;
}

/**
 * `/containerLogs/NAMESPACE/POD/CONTAINER`: the log as the member's API server gives it. A slow reader holds back the
 * member, and one that has gone ends the request there.
 */
export class ContainerLogs implements NodeEndpoint {
  readonly #options: ContainerLogsOptions;

  constructor(options: ContainerLogsOptions) {
    this.#options = options;
  }

  register(routes: NodeRoutes): void {
    routes.get('/containerLogs/:namespace/:pod/:container', (node, exchange) => this.#answer(node, exchange));
  }

  async #answer(node: ServedNode, exchange: NodeExchange): Promise<void> {
    const { namespace = '', pod = '', container = '' } = exchange.request.params as Record<string, string | undefined>;
    if (!isDnsLabel(namespace) || !isDnsSubdomain(pod) || !isDnsLabel(container)) {
      throw new EndpointError(404, `pod "${pod}" does not exist`);
    }
    const options = parseLogQuery(parseTarget(exchange.request.url)?.query ?? '', container);
    if (!options.ok) throw new EndpointError(options.statusCode, options.message);
    const found = findPod(node, { namespace, pod, container });
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log${options.query}`;
    const stop = new AbortController();
    const signal = AbortSignal.any([exchange.signal, stop.signal]);
    const info = { cluster: node.cluster, pod: found.hostPod, kind: 'logs' };
    const done = this.#options.sessions.open(info, (reason) => stop.abort(new Error(reason)));
    try {
      await this.#stream(await open(found, path, signal), node, exchange);
    } finally {
      done();
    }
  }

  async #stream(log: ServerStream, node: ServedNode, { response, signal }: NodeExchange): Promise<void> {
    let count = 0;
    let sent: Promise<unknown> = Promise.resolve();
    try {
      if (log.statusCode !== 200) throw refusalError(await readRefusal(log));
      response.writeHead(200, { 'content-type': contentType(log), 'x-content-type-options': 'nosniff' });
      // A log that is only followed may stay silent for long; the client wants to know that it is there.
      response.flushHeaders();
      for (let chunk = await log.read(); chunk !== undefined; chunk = await log.read()) {
        count += chunk.length;
        sent = new Promise((resolve) => response.write(chunk, resolve));
        if (response.writableNeedDrain) await once(response, 'drain', { signal });
      }
      // An API server that passes a log on over WebSocket drops bytes that come in one record with the end (messageCopy in
      // apimachinery's wsstream).
      await sent;
      response.end();
    } finally {
      await log.close();
      this.#options.observer.bytes(node.cluster, 'logs', 'toClient', count);
    }
  }
}

async function open({ member }: FoundPod, path: string, signal: AbortSignal): Promise<ServerStream> {
  try {
    return await member.streams.stream({ path, accept: '*/*', signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw unreachable(error);
  }
}

function contentType({ headers }: ServerStream): string {
  const type = headers['content-type'];
  return (Array.isArray(type) ? type[0] : type) ?? 'text/plain';
}

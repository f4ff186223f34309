import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { UpgradeOutcome } from '../../kube/server-stream.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { STATUS_CODES } from '../../lib/node-http.js';
import type { AccessGate } from './access-gate.js';
import { endpointOf } from './app.js';
import { EndpointError, type NodeEndpoint, type NodeRoutes, type ServedNode } from './endpoint.js';
import { handshakeHeaders, refusalMessage, switchedHead, wantedProtocol } from './handshake.js';
import { credentialRefused, readRefusal, unreachable, type MemberRefusal } from './member-failure.js';
import type { KubeletObserver } from './observer.js';
import { findPod, type FoundPod } from './pod-lookup.js';
import type { Sessions } from './sessions.js';
import { splice } from './splice.js';
import { memberSessionPath, parseSessionPath, type SessionPath } from './stream-request.js';
import { parseTarget, type RequestTarget } from './target.js';

export interface UpgradesOptions {
  readonly gate: Pick<AccessGate, 'check'>;
  readonly nodeOf: (socket: Socket) => ServedNode | undefined;
  readonly sessions: Pick<Sessions, 'open'>;
  readonly observer: Pick<KubeletObserver, 'request' | 'bytes'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Dead peers are found after this time without traffic, plus ten seconds of probes, so that a session whose member has
 * vanished ends within half a minute.
 */
const KEEP_ALIVE_MS = 15_000;

/** The member's answer is passed on in its own words. */
class RefusedByMember extends Error {
  readonly refusal: MemberRefusal;

  constructor(refusal: MemberRefusal) {
    super(`the member answered with HTTP ${refusal.statusCode}`);
    this.refusal = refusal;
  }
}

/**
 * Opens sessions in pods. What follows the handshake is the same on both sides, since an API server speaks to kubelets as
 * clients speak to it: so the client's connection is tied to one with the member's API server, and SPDY or WebSocket, exit
 * codes and terminal sizes pass through unseen.
 */
export class Upgrades {
  readonly #options: UpgradesOptions;

  constructor(options: UpgradesOptions) {
    this.#options = options;
  }

  /** Takes over the connection of a request that wants to switch protocols. Never rejects. */
  async handle(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { clock, observer, nodeOf } = this.#options;
    const startedAt = clock.monotonic();
    // Without a listener an error of the socket would end the process; its close tells all that matters.
    socket.on('error', () => undefined);
    const node = nodeOf(request.socket);
    let code = 101;
    try {
      await this.#open(node, request, socket, head);
    } catch (error) {
      code = this.#refuse(error, request, socket);
    }
    const endpoint = endpointOf((request.url ?? '').split('?')[0] ?? '');
    observer.request(node?.cluster ?? '', endpoint, code, (clock.monotonic() - startedAt) / 1000);
  }

  async #open(node: ServedNode | undefined, request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const target = parseTarget(request.url ?? '');
    if (target === undefined) throw new EndpointError(400, 'Bad Request: the path is not a plain one');
    if (node === undefined) throw new EndpointError(503, 'the node is not served any more');
    await this.#options.gate.check(request, node.name, target);
    const session = parseSessionPath(target);
    if (session === undefined) throw new EndpointError(404, '404 page not found');
    const protocol = wantedProtocol(request);
    if (protocol === undefined)
      throw new EndpointError(400, 'unable to upgrade: only SPDY/3.1 and websocket are known');
    const found = findPod(node, session);
    const outcome = await this.#ask(found, { session, target, protocol, request, socket: client });
    const { socket: member, headers } = await switchedOrThrow(outcome);
    if (node.memberPod(found.hostPod)?.metadata?.uid !== found.memberPod.metadata?.uid || client.destroyed) {
      member.destroy();
      throw new EndpointError(404, `pod "${session.pod}" does not exist`);
    }
    client.write(switchedHead(protocol, headers));
    if (head.length > 0) member.write(head);
    this.#tie(node, { session, found, client, member });
  }

  async #ask(found: FoundPod, asked: AskedSession): Promise<UpgradeOutcome> {
    const { session, target, protocol, request, socket } = asked;
    const gone = new AbortController();
    const onClose = (): void => gone.abort(new Error('the client has gone'));
    socket.once('close', onClose);
    try {
      return await found.member.streams.upgrade({
        method: request.method === 'POST' ? 'POST' : 'GET',
        path: memberSessionPath(session, target.query),
        protocol,
        headers: handshakeHeaders(request.rawHeaders),
        accept: '*/*',
        signal: gone.signal,
      });
    } catch (error) {
      throw unreachable(error);
    } finally {
      socket.off('close', onClose);
    }
  }

  #tie(node: ServedNode, ends: SessionEnds): void {
    const { session, found, client, member } = ends;
    const { sessions, observer, clock, logger } = this.#options;
    const { kind, namespace, pod } = session;
    for (const end of [client, member]) tune(end);
    const done = sessions.open({ cluster: node.cluster, pod: found.hostPod, kind }, (reason) => {
      logger.info('a session was ended', { cluster: node.cluster, pod: `${namespace}/${pod}`, kind, reason });
      client.end();
      member.destroy();
    });
    void splice(client, member, clock).then(({ toMember, toClient }) => {
      done();
      observer.bytes(node.cluster, kind, 'toMember', toMember);
      observer.bytes(node.cluster, kind, 'toClient', toClient);
    });
  }

  /** Returns the HTTP status that was sent. */
  #refuse(error: unknown, request: IncomingMessage, socket: Duplex): number {
    const { statusCode, contentType, body } = this.#refusalOf(error, request);
    socket.end(refusalMessage(statusCode, STATUS_CODES[statusCode] ?? '', contentType, body));
    // A client that keeps its side open would hold the connection for ever.
    socket.once('finish', () => socket.destroy());
    return statusCode;
  }

  #refusalOf(error: unknown, request: IncomingMessage): MemberRefusal {
    if (error instanceof RefusedByMember) return error.refusal;
    const known = error instanceof EndpointError ? error : new EndpointError(500, 'Internal Server Error');
    if (known !== error) {
      const path = (request.url ?? '').split('?')[0];
      this.#options.logger.error('a session could not be opened', { path, error: errorMessage(error) });
    }
    return { statusCode: known.statusCode, contentType: 'text/plain; charset=utf-8', body: Buffer.from(known.message) };
  }
}

type Switched = Extract<UpgradeOutcome, { switched: true }>;

async function switchedOrThrow(outcome: UpgradeOutcome): Promise<Switched> {
  if (outcome.switched) return outcome;
  const refusal = await readRefusal(outcome.answer);
  throw refusal.statusCode === 401 ? credentialRefused() : new RefusedByMember(refusal);
}

interface AskedSession {
  readonly session: SessionPath;
  readonly target: RequestTarget;
  readonly protocol: string;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
}

interface SessionEnds {
  readonly session: SessionPath;
  readonly found: FoundPod;
  readonly client: Duplex;
  readonly member: Duplex;
}

/** An idle session stays open, small writes go out at once, and a dead peer is found. */
function tune(end: Duplex): void {
  if (!(end instanceof Socket)) return;
  end.setTimeout(0);
  end.setNoDelay(true);
  end.setKeepAlive(true, KEEP_ALIVE_MS);
}

/** Answers requests for sessions that don't ask for an upgrade. */
export const sessionsWithoutUpgrade: NodeEndpoint = {
  register: (routes: NodeRoutes) => {
    for (const path of ['/exec', '/attach', '/portForward']) {
      routes.all(`${path}/*rest`, () => {
        throw new EndpointError(400, 'Upgrade request required');
      });
    }
  },
};

import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as tlsConnect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { Pod } from '../../src/apis/core.js';
import { AccessGate } from '../../src/clustertree/kubelet/access-gate.js';
import { createApp } from '../../src/clustertree/kubelet/app.js';
import { Authenticator } from '../../src/clustertree/kubelet/authenticator.js';
import { Authorizer } from '../../src/clustertree/kubelet/authorizer.js';
import { ContainerLogs } from '../../src/clustertree/kubelet/container-logs.js';
import type { NodeEndpoint } from '../../src/clustertree/kubelet/endpoint.js';
import { HttpFront, type HttpLimits } from '../../src/clustertree/kubelet/http-front.js';
import { Listener } from '../../src/clustertree/kubelet/listener.js';
import { nodeConfig } from '../../src/clustertree/kubelet/node-config.js';
import { nodeHealth } from '../../src/clustertree/kubelet/node-health.js';
import type { KubeletObserver } from '../../src/clustertree/kubelet/observer.js';
import { nodeMetrics } from '../../src/clustertree/kubelet/node-metrics.js';
import { podLists } from '../../src/clustertree/kubelet/pod-lists.js';
import type { SubjectAccessReview, TokenReview } from '../../src/clustertree/kubelet/reviews.js';
import { CachedNode } from '../../src/clustertree/kubelet/served-node.js';
import { Sessions } from '../../src/clustertree/kubelet/sessions.js';
import { sessionsWithoutUpgrade, Upgrades } from '../../src/clustertree/kubelet/upgrades.js';
import type { Member } from '../../src/clustertree/cluster/member.js';
import type { KubeClient } from '../../src/kube/client.js';
import { objectKey } from '../../src/kube/resource.js';
import { systemClock, type Clock } from '../../src/lib/clock.js';
import type { Logger } from '../../src/lib/logger.js';
import { createAuthority, type KeyPair, type TestAuthority } from './certificates.js';
import { FakeStreams } from './fake-streams.js';
import { CLUSTER, OWNERSHIP, ownPod } from './member-harness.js';

export const NODE = 'kosmos-member1';
export const OTHER_NODE = 'kosmos-member2';
/** May do everything with every node. */
export const ADMIN = 'admin';

/** An answer as it came. */
export interface RigAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface RigOptions {
  readonly endpoints?: readonly NodeEndpoint[];
  readonly clock?: Clock;
  readonly limits?: HttpLimits;
}

/** The pod `default/web` of {@link NODE}, as the host has it. */
export function hostPod(parts: { readonly name?: string; readonly uid?: string; readonly node?: string } = {}): Pod {
  const { name = 'web', uid = 'uid-1', node = NODE } = parts;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name, uid },
    spec: { nodeName: node, containers: [{ name: 'main', image: 'app:1' }] },
    status: { phase: 'Running' },
  };
}

/**
 * The kubelet API of one virtual node on a real TLS port, with a member, and a host that reviews, in memory. Tokens and
 * rights are what the test puts in.
 */
export class KubeletRig {
  readonly streams = new FakeStreams();
  readonly hostPods = new Map<string, Pod>();
  readonly memberPods = new Map<string, Pod>();
  /** Users by token. */
  readonly tokens = new Map<string, { readonly username: string; readonly groups?: readonly string[] }>();
  /** `user verb subresource` that is allowed, on {@link NODE}. */
  readonly rights = new Set<string>();
  readonly reviews: (TokenReview | SubjectAccessReview)[] = [];
  /** Fails all reviews. */
  reviewError: Error | undefined;
  /** What the observer was told, in words. */
  readonly events: string[] = [];
  readonly logs: string[] = [];
  isConnected = true;
  reachable = true;
  room = true;
  readonly authority: TestAuthority;
  readonly admin: KeyPair;
  readonly sessions: Sessions;
  readonly listener: Listener;
  readonly front: HttpFront;
  readonly #contexts = new Map<string | undefined, SecureContext>();
  readonly #podListeners = new Set<(key: string, initial: boolean) => void>();
  readonly #stop = new AbortController();
  #port = 0;

  private constructor(options: RigOptions) {
    const { clock = systemClock, endpoints = [] } = options;
    this.authority = sharedAuthority();
    this.admin = sharedAdmin();
    const { observer, logger } = this;
    const reviews = { host: { create: this.#review.bind(this) as KubeClient['create'] }, clock };
    const gate = new AccessGate({
      ...{ authenticator: new Authenticator(reviews), authorizer: new Authorizer(reviews), logger },
    });
    this.sessions = new Sessions({
      hostPods: {
        get: (_cluster, key) => this.hostPods.get(key),
        addListener: (_cluster, listener) => {
          this.#podListeners.add(listener);
          return () => this.#podListeners.delete(listener);
        },
      },
      ...{ clock, isConnected: () => this.isConnected, observe: observer.session.bind(observer) },
    });
    const nodeOf: HttpFront['nodeOf'] = (socket) => this.front.nodeOf(socket);
    const { sessions } = this;
    const upgrades = new Upgrades({ gate, nodeOf, sessions, observer, clock, logger });
    const own = [
      new ContainerLogs({ sessions, observer }),
      podLists,
      nodeHealth,
      nodeMetrics,
      nodeConfig,
      sessionsWithoutUpgrade,
    ];
    const stop = this.#stop.signal;
    this.front = new HttpFront({
      onRequest: createApp({ ...{ gate, nodeOf, observer, clock, logger, stop }, endpoints: [...own, ...endpoints] }),
      onUpgrade: (request, socket, head) => void upgrades.handle(request, socket, head),
      ...{ clock, limits: options.limits },
    });
    const node = new CachedNode(NODE, CLUSTER, {
      member: () => (this.isConnected ? this.#member() : undefined),
      hostPods: {
        get: (_cluster, key) => this.hostPods.get(key),
        listNode: (name) => [...this.hostPods.values()].filter(({ spec }) => spec?.nodeName === name),
        hasNode: () => true,
      },
    });
    const { certificate, key } = sharedServing();
    this.listener = new Listener({
      ...{ address: '127.0.0.1', port: 0, observer, hasRoom: () => this.room },
      credential: { certificate, key, clientAuthority: this.authority.certificate },
      onConnection: (socket) => this.front.accept(socket, node),
    });
  }

  /** Starts with the pod `default/web` on both sides, and an administrator. */
  static async start(options: RigOptions = {}): Promise<KubeletRig> {
    const rig = new KubeletRig(options);
    rig.addPod(hostPod());
    for (const verb of ['get', 'create', 'update', 'patch', 'delete']) {
      for (const subresource of ['proxy', 'stats', 'metrics', 'log', 'checkpoint', 'statusz', 'configz']) {
        rig.rights.add(`${ADMIN} ${verb} ${subresource}`);
      }
    }
    rig.#port = await rig.listener.listen();
    return rig;
  }

  get port(): number {
    return this.#port;
  }

  get observer(): KubeletObserver {
    const { events } = this;
    return {
      request: (cluster, endpoint, code) => events.push(`${cluster} ${endpoint} ${code}`),
      session: (_cluster, kind, change) => events.push(`${kind} ${change > 0 ? 'began' : 'ended'}`),
      bytes: (_cluster, kind, direction, count) => events.push(`${kind} ${direction} ${count}`),
      connection: () => undefined,
      refused: (reason) => events.push(`refused: ${reason}`),
      served: () => undefined,
    };
  }

  get logger(): Logger {
    const write = (message: string): void => void this.logs.push(message);
    const logger: Logger = { debug: write, info: write, warn: write, error: write, child: () => logger };
    return logger;
  }

  /** Puts a pod into the host and its copy into the member. */
  addPod(pod: Pod): void {
    const key = objectKey(pod);
    this.hostPods.set(key, pod);
    const metadata = { uid: `member-${pod.metadata?.uid ?? ''}` };
    const copy = ownPod(key, pod.metadata?.uid ?? '', { status: { phase: 'Running' } });
    this.memberPods.set(key, { ...copy, metadata: { ...copy.metadata, ...metadata } });
  }

  /** Changes or removes a host pod, as its watch would. */
  changePod(key: string, pod: Pod | undefined): void {
    if (pod === undefined) this.hostPods.delete(key);
    else this.hostPods.set(key, pod);
    for (const listener of [...this.#podListeners]) listener(key, false);
  }

  /** A request with the administrator's certificate, or as the options say. */
  request(path: string, options: RequestOptions = {}): Promise<RigAnswer> {
    return new Promise((resolve, reject) => {
      const identity = { cert: this.admin.certificate, key: this.admin.key };
      const target = { host: '127.0.0.1', port: this.#port, path, agent: false, ca: this.authority.certificate };
      const outgoing = httpsRequest({ ...target, ...identity, ...options }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const { statusCode: status = 0, headers } = answer;
          resolve({ status, headers, body: Buffer.concat(chunks).toString() });
        });
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  /** A bare TLS connection with the administrator's certificate, or another one, or none. */
  connect(identity: Partial<KeyPair> | undefined = this.admin): Promise<TLSSocket> {
    const secureContext = this.#secureContext(identity);
    return new Promise((resolve, reject) => {
      const target = { host: '127.0.0.1', port: this.#port };
      const socket = tlsConnect({ ...target, secureContext, ALPNProtocols: ['http/1.1'] }, () => resolve(socket));
      socket.on('error', reject);
    });
  }

  /** Making one costs as much as all else about a connection. */
  #secureContext({ certificate, key }: Partial<KeyPair>): SecureContext {
    const known = this.#contexts.get(certificate);
    if (known !== undefined) return known;
    const own = certificate !== undefined && key !== undefined && { cert: certificate, key };
    const made = createSecureContext({ ca: this.authority.certificate, ...own });
    this.#contexts.set(certificate, made);
    return made;
  }

  /** Writes bytes on a connection of its own and collects everything until the server closes it. */
  async raw(text: string | Buffer, identity: Partial<KeyPair> | undefined = this.admin): Promise<string> {
    const socket = await this.connect(identity);
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
      socket.write(text);
    });
  }

  /** The text of a request for a session. */
  static handshake(path: string, headers: Readonly<Record<string, string>> = {}, method = 'POST'): string {
    const all = { Host: 'node', Connection: 'Upgrade', Upgrade: 'SPDY/3.1', ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    return [`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
  }

  /** Ends everything, sessions too. */
  close(): void {
    this.#stop.abort(new Error('the test has ended'));
    this.sessions.close();
    this.front.close();
    this.listener.close();
  }

  #member(): Member {
    const { streams, memberPods } = this;
    const member: Partial<Member> = {
      streams,
      ownership: OWNERSHIP,
      probe: { reachable: this.reachable } as unknown as Member['probe'],
      pods: { store: memberPods } as unknown as Member['pods'],
    };
    return member as Member;
  }

  #review(_type: unknown, review: TokenReview | SubjectAccessReview): Promise<TokenReview | SubjectAccessReview> {
    this.reviews.push(review);
    if (this.reviewError !== undefined) return Promise.reject(this.reviewError);
    if ('token' in review.spec) {
      const user = this.tokens.get(review.spec.token);
      return Promise.resolve({
        ...review,
        status: { authenticated: user !== undefined, ...(user && { user }) },
      } as TokenReview);
    }
    const { user, resourceAttributes: wanted } = review.spec;
    const allowed = wanted.name === NODE && this.rights.has(`${user} ${wanted.verb} ${wanted.subresource}`);
    return Promise.resolve({ ...review, status: { allowed } } as SubjectAccessReview);
  }
}

/** Made once for all tests: each costs a process of openssl. */
let authority: TestAuthority | undefined;
let serving: KeyPair | undefined;
let admin: KeyPair | undefined;

function sharedAuthority(): TestAuthority {
  return (authority ??= createAuthority());
}

function sharedServing(): KeyPair {
  return (serving ??= sharedAuthority().issue('node'));
}

function sharedAdmin(): KeyPair {
  return (admin ??= sharedAuthority().issue(ADMIN, { organization: 'admins' }));
}

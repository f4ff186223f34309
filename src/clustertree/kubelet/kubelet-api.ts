import type { CertificateSigningRequest, ConfigMap, Node, Secret } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Informer } from '../../kube/informer.js';
import { certificateSigningRequests, configMaps, secrets } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { KubeletPorts } from '../cluster/kubelet-ports.js';
import type { Member } from '../cluster/member.js';
import { AccessGate } from './access-gate.js';
import { createApp } from './app.js';
import { Authenticator } from './authenticator.js';
import { Authorizer } from './authorizer.js';
import { AUTHENTICATION_CONFIG, ClientAuthority } from './client-authority.js';
import { ContainerLogs } from './container-logs.js';
import type { NodeEndpoint } from './endpoint.js';
import { HttpFront } from './http-front.js';
import { nodeConfig } from './node-config.js';
import { nodeHealth } from './node-health.js';
import { NodeServers } from './node-servers.js';
import type { KubeletObserver } from './observer.js';
import { nodeMetrics } from './node-metrics.js';
import { podLists } from './pod-lists.js';
import { CachedNode } from './served-node.js';
import { ServingCertificates } from './serving-certificates.js';
import { nodeOfRequest, SERVING_SIGNER } from './serving-request.js';
import { nodeOfSecret, SERVING_SELECTOR, type ServingPolicy } from './serving-secret.js';
import { Sessions } from './sessions.js';
import { sessionsWithoutUpgrade, Upgrades } from './upgrades.js';

export interface KubeletApiOptions {
  /** Writes only while this process leads. */
  readonly host: KubeClient;
  /** Asked for reviews, by every replica; shares no queue with anything that can be long. */
  readonly reviewClient: Pick<KubeClient, 'create'>;
  readonly hostNodes: Informer<Node>;
  readonly hostPods: HostPods;
  readonly member: (cluster: string) => Member | undefined;
  readonly ports: KubeletPorts;
  readonly policy: ServingPolicy;
  /** Where the Secrets with serving certificates are. */
  readonly namespace: string;
  /** Address to listen on; all of them when undefined. */
  readonly address: string | undefined;
  /** Further endpoints. */
  readonly endpoints: readonly NodeEndpoint[];
  readonly createInformer: InformerFactory;
  readonly createController: ControllerFactory;
  readonly observer: KubeletObserver;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Connections of all nodes together. @default 10000 */
  readonly maxConnections?: number | undefined;
  /** How long new connections are taken after the stop: a Service goes on sending some for a moment. @default 0 */
  readonly lingerMs?: number | undefined;
  /** How long requests and sessions may go on after that. @default 5000 */
  readonly drainMs?: number | undefined;
}

const MAX_CONNECTIONS = 10_000;
const DRAIN_MS = 5_000;
const CONCURRENCY = 8;

/** The kubelet API of all virtual nodes. */
export class KubeletApi {
  readonly #options: KubeletApiOptions;
  readonly #secrets: Informer<Secret>;
  readonly #configMaps: Informer<ConfigMap>;
  readonly #sessions: Sessions;
  readonly #front: HttpFront;
  readonly #servers: NodeServers;
  readonly #authority: ClientAuthority;
  readonly #cut = new AbortController();

  constructor(options: KubeletApiOptions) {
    this.#options = options;
    const { host, namespace, createInformer, clock, logger, observer, hostPods, member } = options;
    this.#secrets = createInformer({ client: host, type: secrets, namespace, labelSelector: SERVING_SELECTOR });
    const { name, namespace: configNamespace } = AUTHENTICATION_CONFIG;
    const fieldSelector = `metadata.name=${name}`;
    this.#configMaps = createInformer({ client: host, type: configMaps, namespace: configNamespace, fieldSelector });
    this.#authority = new ClientAuthority(this.#configMaps, logger);
    this.#sessions = new Sessions({
      ...{ hostPods, clock, observe: observer.session.bind(observer) },
      isConnected: (cluster) => member(cluster) !== undefined,
    });
    this.#front = this.#createFront();
    this.#servers = new NodeServers({
      ...{ ...options, secrets: this.#secrets, authority: this.#authority },
      maxConnections: options.maxConnections ?? MAX_CONNECTIONS,
      nodeFor: (node, cluster) => new CachedNode(node, cluster, { hostPods, member }),
      accept: (socket, node) => this.#front.accept(socket, node),
    });
  }

  /** Open sessions. */
  get sessions(): number {
    return this.#sessions.count;
  }

  /** Virtual nodes that are to be served here and are not yet; all of them are, before the certificates are known. */
  unserved(): readonly string[] {
    return this.#secrets.hasSynced ? this.#servers.unserved() : [...this.#options.hostNodes.store.keys()];
  }

  /** Reads the host again at once; for when it is back after an outage. */
  reconnect(): void {
    this.#secrets.reconnect();
    this.#configMaps.reconnect();
  }

  /** To be called when a connection to a member has come or gone. */
  clusterChanged(cluster: string): void {
    this.#sessions.clusterChanged(cluster);
  }

  /** Serves, on every replica, until aborted; then lets what is under way end, for a short time. */
  async run(signal: AbortSignal): Promise<void> {
    const { hostNodes, createController, clock, lingerMs = 0, drainMs = DRAIN_MS } = this.#options;
    const controller = createController({
      name: 'kubelet-server',
      reconciler: this.#servers,
      concurrency: CONCURRENCY,
    });
    const all = (): void => {
      for (const name of hostNodes.store.keys()) controller.enqueue(name);
    };
    this.#authority.onChange(() => {
      all();
      // Whoever was let in by the old authority has to come again.
      this.#front.closeIdle();
    });
    const stops = [
      onNodes(hostNodes, (name) => controller.enqueue(name)),
      onSecrets(this.#secrets, (name) => controller.enqueue(name)),
    ];
    try {
      const caches = [this.#secrets.run(signal), this.#configMaps.run(signal)];
      await Promise.all([...caches, controller.run(signal)]);
    } finally {
      for (const stop of stops) stop();
      await clock.sleep(lingerMs);
      this.#servers.stop();
      await this.#front.drain(drainMs);
      this.#cut.abort(new Error('the server stops'));
      this.#sessions.close();
      this.#front.close();
      this.#servers.close();
    }
  }

  /** Gets serving certificates, on the leader only, until aborted; may be called again. */
  async lead(signal: AbortSignal): Promise<void> {
    const { host, hostNodes, createInformer, createController } = this.#options;
    const fieldSelector = `spec.signerName=${SERVING_SIGNER}`;
    const labelSelector = SERVING_SELECTOR;
    const requests: Informer<CertificateSigningRequest> = createInformer({
      ...{ client: host, type: certificateSigningRequests, fieldSelector, labelSelector },
    });
    const reconciler = new ServingCertificates({ ...this.#options, secrets: this.#secrets, requests });
    const controller = createController({ name: 'kubelet-certificate', reconciler, concurrency: CONCURRENCY });
    const tell = (request: CertificateSigningRequest): void => {
      const name = nodeOfRequest(request);
      if (name !== undefined) controller.enqueue(name);
    };
    const watching = requests.run(signal);
    const stops: (() => void)[] = [];
    try {
      await Promise.all([requests, this.#secrets, hostNodes].map((cache) => cache.synced(signal)));
      stops.push(
        requests.addHandler({ onAdd: tell, onUpdate: (_old, request) => tell(request), onDelete: tell }),
        onNodes(hostNodes, (name) => controller.enqueue(name)),
        onSecrets(this.#secrets, (name) => controller.enqueue(name)),
      );
      await Promise.all([watching, controller.run(signal)]);
    } finally {
      for (const stop of stops) stop();
    }
  }

  #createFront(): HttpFront {
    const { reviewClient, endpoints, clock, logger, observer } = this.#options;
    const reviews = { host: reviewClient, clock };
    const gate = new AccessGate({
      ...{ authenticator: new Authenticator(reviews), authorizer: new Authorizer(reviews), logger },
    });
    const nodeOf: HttpFront['nodeOf'] = (socket) => this.#front.nodeOf(socket);
    const sessions = this.#sessions;
    const upgrades = new Upgrades({ gate, nodeOf, sessions, observer, clock, logger });
    const own = [
      new ContainerLogs({ sessions, observer }),
      podLists,
      nodeHealth,
      nodeMetrics,
      nodeConfig,
      sessionsWithoutUpgrade,
    ];
    const stop = this.#cut.signal;
    return new HttpFront({
      onRequest: createApp({ ...{ gate, nodeOf, observer, clock, logger, stop }, endpoints: [...own, ...endpoints] }),
      onUpgrade: (request, socket, head) => void upgrades.handle(request, socket, head),
      clock,
    });
  }
}

/** Calls back with the name of each node that came, changed what matters, or went. */
function onNodes(hostNodes: Informer<Node>, listener: (name: string) => void): () => void {
  const tell = (node: Node): void => listener(node.metadata?.name ?? '');
  return hostNodes.addHandler({
    onAdd: tell,
    onUpdate: (old, node) => {
      // Heartbeats and capacity are no reason to look again.
      if (fingerprint(old) !== fingerprint(node)) tell(node);
    },
    onDelete: tell,
  });
}

function fingerprint({ metadata, status }: Node): string {
  return JSON.stringify([metadata?.uid, metadata?.labels, metadata?.annotations, status?.daemonEndpoints]);
}

function onSecrets(informer: Informer<Secret>, listener: (name: string) => void): () => void {
  const tell = (secret: Secret): void => {
    const name = nodeOfSecret(secret);
    if (name !== undefined) listener(name);
  };
  return informer.addHandler({ onAdd: tell, onUpdate: (_old, secret) => tell(secret), onDelete: tell });
}

import type { TLSSocket } from 'node:tls';
import type { Node, Secret } from '../../apis/core.js';
import type { Informer } from '../../kube/informer.js';
import type { ObjectKey } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { KubeletPorts } from '../cluster/kubelet-ports.js';
import { clusterOfNode } from '../cluster/virtual-node.js';
import type { ClientAuthority } from './client-authority.js';
import type { ServedNode } from './endpoint.js';
import { Listener, type ListenerCredential } from './listener.js';
import type { KubeletObserver } from './observer.js';
import { certificateIn, readMaterial, servingSecretName, type ServingPolicy } from './serving-secret.js';

export interface NodeServersOptions {
  readonly hostNodes: Informer<Node>;
  readonly secrets: Informer<Secret>;
  /** Where the Secrets are. */
  readonly namespace: string;
  readonly ports: Pick<KubeletPorts, 'servedPort'>;
  readonly policy: ServingPolicy;
  readonly authority: Pick<ClientAuthority, 'pem'>;
  /** Address to listen on; all of them when undefined. */
  readonly address: string | undefined;
  /** Connections of all nodes together. */
  readonly maxConnections: number;
  readonly nodeFor: (name: string, cluster: string) => ServedNode;
  readonly accept: (socket: TLSSocket, node: ServedNode) => void;
  readonly observer: KubeletObserver;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Served {
  readonly cluster: string;
  readonly port: number;
  readonly listener: Listener;
}

interface Wanted {
  readonly cluster: string;
  readonly port: number;
  readonly credential: ListenerCredential;
}

/**
 * Listens for each virtual node at the port that its Node publishes, once it has a certificate; on every replica. Keys
 * are node names. What goes wrong with one port is tried again, and says nothing about the others.
 */
export class NodeServers implements Reconciler {
  readonly #options: NodeServersOptions;
  readonly #served = new Map<string, Served>();
  #connections = 0;
  #stopped = false;

  constructor(options: NodeServersOptions) {
    this.#options = options;
  }

  async reconcile(name: ObjectKey): Promise<Result> {
    const wanted = this.#wanted(name);
    const present = this.#served.get(name);
    const isSame = present?.port === wanted?.port && present?.cluster === wanted?.cluster;
    if (present !== undefined && !isSame) this.#end(name);
    if (wanted === undefined) return {};
    const served = this.#served.get(name);
    if (served === undefined) await this.#begin(name, wanted);
    else served.listener.setCredential(wanted.credential);
    return {};
  }

  /** Virtual nodes that have a certificate and a port, and that are not served. */
  unserved(): readonly string[] {
    const names = [...this.#options.hostNodes.store.keys()];
    return names.filter((name) => !this.#served.has(name) && this.#wanted(name) !== undefined);
  }

  /** Takes no more connections, for any node. */
  stop(): void {
    this.#stopped = true;
    for (const { listener } of this.#served.values()) listener.stop();
  }

  /** Ends everything. */
  close(): void {
    this.#stopped = true;
    for (const name of [...this.#served.keys()]) this.#end(name);
  }

  #wanted(name: string): Wanted | undefined {
    const cluster = clusterOfNode(this.#options.hostNodes.store.get(name));
    const port = this.#options.ports.servedPort(name);
    const credential = this.#credential(name);
    const isWanted = cluster !== undefined && port !== undefined && credential !== undefined && !this.#stopped;
    return isWanted ? { cluster, port, credential } : undefined;
  }

  #credential(name: string): ListenerCredential | undefined {
    const { secrets, namespace, policy, clock, authority } = this.#options;
    const material = readMaterial(secrets.store.get(`${namespace}/${servingSecretName(name)}`));
    // Addresses may have changed; until there is a new certificate, the old one is better than none.
    const found = certificateIn(material, { ...policy, addresses: [] });
    const { certificate, key } = material;
    if (found === undefined || certificate === undefined || key === undefined) return undefined;
    return clock.now() < found.notAfterMs ? { certificate, key, clientAuthority: authority.pem } : undefined;
  }

  async #begin(name: string, { cluster, port, credential }: Wanted): Promise<void> {
    const { nodeFor, accept, address, observer, logger, maxConnections } = this.#options;
    const node = nodeFor(name, cluster);
    const listener = new Listener({
      ...{ address, port, credential },
      onConnection: (socket) => accept(socket, node),
      hasRoom: () => this.#connections < maxConnections,
      observer: {
        connection: (change) => {
          this.#connections += change;
          observer.connection(change);
        },
        refused: (reason) => observer.refused(reason),
      },
    });
    await listener.listen();
    // It may have been stopped meanwhile.
    if (this.#stopped) {
      listener.close();
      return;
    }
    this.#served.set(name, { cluster, port, listener });
    observer.served(cluster, 1);
    logger.info('the kubelet API of a virtual node is served', { node: name, cluster, port });
  }

  #end(name: string): void {
    const served = this.#served.get(name);
    if (served === undefined) return;
    this.#served.delete(name);
    served.listener.close();
    const { observer, logger } = this.#options;
    observer.served(served.cluster, -1);
    logger.info('the kubelet API of a virtual node is not served any more', { node: name, port: served.port });
  }
}

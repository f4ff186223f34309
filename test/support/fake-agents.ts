import type { NodeConfig, NodeConfigStatus } from '../../src/apis/kosmos/v1alpha1/node-config.js';
import { isNotFound } from '../../src/kube/api-error.js';
import type { KubeClient } from '../../src/kube/client.js';
import { nodeConfigs } from '../../src/kube/kosmos-resources.js';
import { sameJson } from '../../src/lib/same-json.js';

const INTERVAL_MS = 200;

/**
 * Plays the agents of a cluster: reports addresses, applies every config at once, probes, and goes through the first
 * gateway that is alive.
 */
export class FakeAgents {
  readonly #client: KubeClient;
  readonly #network: string;
  readonly #dead = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #syncs = 0;

  /** `network` begins the addresses of the nodes, for instance `172.18.1`. */
  constructor(client: KubeClient, network: string) {
    this.#client = client;
    this.#network = network;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#round = this.#round.then(() => this.#play());
    }, INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }

  /** The agent of `cluster/node` says nothing any more, and does not answer others. */
  kill(name: string): void {
    this.#dead.add(name);
  }

  revive(name: string): void {
    this.#dead.delete(name);
  }

  async #play(): Promise<void> {
    this.#syncs += 1;
    const { items } = await this.#client.list(nodeConfigs);
    const alive = items.filter(({ spec }) => !this.#dead.has(`${spec.clusterName ?? ''}/${spec.nodeName ?? ''}`));
    await Promise.all(alive.map((config) => this.#report(config)));
  }

  async #report(config: NodeConfig): Promise<void> {
    const { name = '' } = config.metadata ?? {};
    const status = this.#statusOf(config);
    const { lastSyncTime: _now, ...rest } = status;
    const { lastSyncTime: _then, ...before } = config.status ?? {};
    if (sameJson(rest, before) && this.#syncs % 10 !== 0) return;
    try {
      await this.#client.patch(nodeConfigs, { name }, { status }, { type: 'merge', subresource: 'status' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #statusOf({ metadata, spec }: NodeConfig): NodeConfigStatus {
    const number = Buffer.from(spec.nodeName ?? '').reduce((sum, byte) => (sum * 31 + byte) % 250, 1);
    const isAlive = (cluster: string, node: string): boolean => !this.#dead.has(`${cluster}/${node}`);
    return {
      observedGeneration: metadata?.generation,
      lastSyncTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      detected: { interfaceName: 'eth0', ip: `${this.#network}.${number + 1}`, mtu: 1500 },
      peers: (spec.peers ?? []).map(({ clusterName, nodeName, ip = '' }) => {
        return { name: `${clusterName}/${nodeName}`, ip, reachable: isAlive(clusterName, nodeName) };
      }),
      activeGateways: (spec.gateways ?? []).flatMap(({ clusterName, candidates }) => {
        const active = candidates.find(({ nodeName }) => isAlive(clusterName, nodeName));
        return active === undefined ? [] : [{ clusterName, nodeName: active.nodeName }];
      }),
    };
  }
}

import type { ClusterNode } from '../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig } from '../../src/apis/kosmos/v1alpha1/node-config.js';
import { ownershipLabels, ownershipOf } from '../../src/clustertree/cluster/ownership.js';
import { LinkConnection } from '../../src/clusterlink/cluster/connection.js';
import type { LinkConfig } from '../../src/clusterlink/cluster/link-config.js';
import type { LinkFeature } from '../../src/clusterlink/cluster/link-member.js';
import { type FormerConfig, watchFormerConfigs } from '../../src/clusterlink/delivery/planner-feed.js';
import type { Informer } from '../../src/kube/informer.js';
import { clusterNodes, clusters, nodeConfigs } from '../../src/kube/kosmos-resources.js';
import { nodes } from '../../src/kube/resource.js';
import { HOST_UID, MemberHarness } from './member-harness.js';
import { nodeConfig } from './link-objects.js';

export const LINKED = 'east';
export const LINK_CONFIG: LinkConfig = {
  ...{ name: LINKED, root: false, kubeconfig: undefined, cni: 'generic', calicoInEtcd: false, leaving: false },
};

/** A host and a linked cluster in memory, whose caches run. */
export class LinkHarness extends MemberHarness {
  readonly clusters: Informer<Cluster>;
  readonly clusterNodes: Informer<ClusterNode>;
  readonly formerConfigs: Informer<NodeConfig, FormerConfig>;

  constructor() {
    super();
    this.clusters = this.watch(this.host, clusters);
    this.clusterNodes = this.watch(this.host, clusterNodes);
    this.formerConfigs = watchFormerConfigs(this.host, this.createInformer);
    this.track(this.formerConfigs.run(this.signal));
  }

  /** A connection to the cluster; it runs until the end of the test. */
  connect(config: Partial<LinkConfig> = {}, features: readonly LinkFeature[] = []): LinkConnection {
    const { client, createInformer, clock, logger } = this;
    const connection = new LinkConnection({
      ...{ client, createInformer, clock, logger, features },
      config: { ...LINK_CONFIG, ...config },
      ownership: ownershipOf(HOST_UID, LINKED),
      adopt: () => false,
    });
    connection.start();
    const ended = new Promise<void>((resolve) => {
      this.signal.addEventListener('abort', () => void connection.close().then(resolve), { once: true });
    });
    this.track(ended);
    return connection;
  }

  /** A node in the cluster, as its API server has it. */
  seedNode(name: string, podCIDR: string, more: { readonly labels?: Readonly<Record<string, string>> } = {}): void {
    this.client.seed(nodes, {
      metadata: { name, ...more },
      spec: { podCIDRs: [podCIDR] },
      status: {
        addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
  }

  /** A NodeConfig of ours in the cluster. */
  seedConfig(node: string, spec: Partial<NodeConfig['spec']> = {}, status?: NodeConfig['status']): NodeConfig {
    const config = nodeConfig(LINKED, node, spec, status);
    const labels = ownershipLabels(ownershipOf(HOST_UID, LINKED));
    return this.client.seed(nodeConfigs, { ...config, metadata: { ...config.metadata, labels } });
  }

  /** Lets watches and debounced work come through. */
  async calm(ms = 1_000): Promise<void> {
    await this.settle(20);
    await this.clock.advance(ms);
    await this.settle(20);
  }
}

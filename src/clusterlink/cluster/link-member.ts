import type { Node } from '../../apis/core.js';
import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import type { Logger } from '../../lib/logger.js';
import type { Ownership } from '../../clustertree/cluster/ownership.js';
import type { AgentLeases } from './agent-leases.js';
import type { LinkConfig } from './link-config.js';
import type { LinkNode } from './link-node.js';
import type { NetworkFacts } from './network-sources.js';
import type { Obstacles } from './obstacles.js';

/** A linked cluster while it is connected: what all parts of ClusterLink share. The host's own entry is one as well. */
export interface LinkMember {
  readonly config: LinkConfig;
  readonly ownership: Ownership;
  /** Writes only while this process leads. */
  readonly client: KubeClient;
  readonly nodes: Informer<Node, LinkNode>;
  /** Those that we wrote. */
  readonly nodeConfigs: Informer<NodeConfig>;
  /** Which of its agents have gone silent. */
  readonly agents: Pick<AgentLeases, 'isSilent'>;
  readonly network: { readonly facts: NetworkFacts };
  /** What keeps its parts from writing, for the condition of the Cluster. */
  readonly obstacles: Obstacles;
  readonly logger: Logger;
  /** Calls back with every change of what is known of the cluster. The returned function ends it. */
  onUpdate(listener: () => void): () => void;
}

/** What a part of ClusterLink does for one cluster. */
export interface LinkModule {
  /** Writes, on the leader only, until aborted. May be called again after it ended. */
  lead(signal: AbortSignal): Promise<void>;
}

/** A part of ClusterLink that does something in, or for, each cluster. */
export interface LinkFeature {
  readonly name: string;
  open(member: LinkMember): LinkModule;
}

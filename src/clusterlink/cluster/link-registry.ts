import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import {
  ConnectionRegistry,
  type ConnectionSource,
  type PreparedConnection,
} from '../../clustertree/cluster/connection-registry.js';
import type { LinkConnection } from './connection.js';
import { compileLink, isLinkRegistered, isLinkWanted, type LinkConfig } from './link-config.js';

/** The connections of ClusterLink: of all Clusters whose network is linked, or was and is not cleaned up yet. */
export class LinkRegistry extends ConnectionRegistry<LinkConnection> {}

export interface LinkConnectionsOptions {
  /** Reads the kubeconfig; throws when there is none. */
  readonly readKubeconfig: (config: LinkConfig, signal: AbortSignal) => Promise<string>;
  /** Makes a connection, not yet started; to the host itself without a kubeconfig. */
  readonly connect: (config: LinkConfig, kubeconfig: string | undefined) => LinkConnection;
}

/** Makes them. */
export class LinkConnections implements ConnectionSource<LinkConnection> {
  readonly #options: LinkConnectionsOptions;

  constructor(options: LinkConnectionsOptions) {
    this.#options = options;
  }

  isWanted(cluster: Cluster): boolean {
    return isLinkWanted(cluster) || isLinkRegistered(cluster);
  }

  async prepare(cluster: Cluster, signal: AbortSignal): Promise<PreparedConnection<LinkConnection>> {
    const { readKubeconfig, connect } = this.#options;
    const config = compileLink(cluster);
    const kubeconfig = config.kubeconfig === undefined ? undefined : await readKubeconfig(config, signal);
    return { fingerprint: JSON.stringify(config), kubeconfig, connect: () => connect(config, kubeconfig) };
  }
}

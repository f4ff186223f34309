import { join } from 'node:path';
import { clusterRanges, nodeAddresses, urlHost, type Addresses, type ClusterRanges } from './addresses.js';
import { namespaceName } from './network.js';
import { clusterNames, type LabConfig } from './options.js';
import { instanceCgroup, instanceDirectory, runtimeDirectory } from './paths.js';

/** One machine of a cluster: a network namespace, in a full cluster with a kubelet. */
export interface NodePlan {
  readonly name: string;
  readonly namespace: string;
  readonly addresses: Addresses;
  readonly directory: string;
  /** Folder for sockets and for what the container runtime mounts. */
  readonly runtimeDirectory: string;
  /** Control group of its pods. */
  readonly cgroup: string;
  /** Name of its container network. */
  readonly networkName: string;
}

/** All that is known about a cluster before it is started. */
export interface ClusterPlan {
  readonly name: string;
  readonly index: number;
  readonly directory: string;
  /** Machines; the first one has the control plane. */
  readonly machines: readonly [NodePlan, ...NodePlan[]];
  /** Number of KWOK nodes to add at the start. */
  readonly kwokNodes: number;
  readonly ranges: ClusterRanges;
  /** URL of the API server. */
  readonly server: string;
}

function machinePlan(config: LabConfig, block: number, cluster: string, node: number): NodePlan {
  const index = clusterNames(config.members).indexOf(cluster);
  const name = `${cluster}-node${node + 1}`;
  return {
    name,
    namespace: namespaceName(block, node === 0 ? cluster : name),
    addresses: nodeAddresses(block, config.family, index, node),
    directory: join(instanceDirectory(config.instance), cluster, `node${node + 1}`),
    runtimeDirectory: join(runtimeDirectory(config.instance), `${index}-${node + 1}`),
    cgroup: join(instanceCgroup(config.instance), name),
    networkName: `${instanceCgroup(config.instance).slice(1)}-${name}`,
  };
}

/** Plans the clusters of an instance that owns an address block. */
export function planClusters(config: LabConfig, block: number): ClusterPlan[] {
  return clusterNames(config.members).map((name, index) => {
    const nodes = index === 0 ? config.hostNodes : config.nodes;
    const first = machinePlan(config, block, name, 0);
    const others = Array.from({ length: config.full ? nodes - 1 : 0 }, (_, other) =>
      machinePlan(config, block, name, other + 1),
    );
    return {
      name,
      index,
      directory: join(instanceDirectory(config.instance), name),
      machines: [first, ...others],
      kwokNodes: config.full ? 0 : nodes,
      ranges: clusterRanges(config.family, config.sameCidrs ? 0 : index),
      server: `https://${urlHost(first.addresses[0] ?? '')}:6443`,
    };
  });
}

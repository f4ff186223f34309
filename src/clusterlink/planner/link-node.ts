import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import { GATEWAY_ROLE } from '../../apis/names.js';
import type { Cidr, IpAddress, IpFamily } from '../../lib/cidr.js';
import { parseCidr, parseIp } from '../../lib/cidr.js';

/** A ClusterNode, parsed. */
export interface LinkNode {
  /** Of the ClusterNode, and so of the NodeConfig. */
  readonly objectName: string;
  readonly clusterName: string;
  readonly nodeName: string;
  /** Absent until the agent has found it; the node can't take part before. */
  readonly interfaceName: string | undefined;
  readonly ips: Readonly<Partial<Record<IpFamily, IpAddress>>>;
  readonly mtu: number | undefined;
  readonly gateway: boolean;
  readonly standbyOrder: number | undefined;
  readonly podCIDRs: readonly Cidr[];
  /** Equal for two states of a ClusterNode that the planner can't tell from each other. */
  readonly fingerprint: string;
}

/** Undefined for a ClusterNode that doesn't say which node of which Cluster it is. */
export function compileLinkNode(clusterNode: ClusterNode): LinkNode | undefined {
  const { clusterName = '', nodeName = '', interfaceName = '', mtu = 0, roles = [], podCIDRs = [] } = clusterNode.spec;
  if (clusterName === '' || nodeName === '') return undefined;
  const { ip, ip6, standbyOrder } = clusterNode.spec;
  const { name: objectName = '' } = clusterNode.metadata ?? {};
  const facts = [objectName, clusterName, nodeName, interfaceName, ip, ip6, mtu, roles, standbyOrder, podCIDRs];
  return {
    objectName,
    clusterName,
    nodeName,
    interfaceName: presence(interfaceName, ''),
    ips: { ...ipOf('ipv4', ip), ...ipOf('ipv6', ip6) },
    mtu: presence(mtu, 0),
    gateway: roles.some((role) => role.toLowerCase() === GATEWAY_ROLE),
    standbyOrder,
    podCIDRs: podCIDRs.flatMap((text) => parseCidr(text) ?? []),
    fingerprint: JSON.stringify(facts),
  };
}

function ipOf(family: IpFamily, text = ''): LinkNode['ips'] {
  const ip = parseIp(text);
  return ip?.family === family ? { [family]: ip } : {};
}

/** Undefined for the value that says that there is none. */
function presence<T>(value: T, none: T): T | undefined {
  return value === none ? undefined : value;
}

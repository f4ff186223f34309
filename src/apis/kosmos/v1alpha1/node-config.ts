import type { ObjectMeta } from '../../core.js';
import type { ClusterCondition } from './cluster.js';

/**
 * `nodeconfigs.kosmos.io`: what ClusterLink wants in the kernel of one node. The network-manager writes it into the
 * node's own cluster, and the node's agent applies it. `crds/kosmos.io_nodeconfigs.yaml` is its schema.
 */
export interface NodeConfig {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata?: ObjectMeta | undefined;
  readonly spec: NodeConfigSpec;
  readonly status?: NodeConfigStatus | undefined;
}

/**
 * The wanted state. Without `devices` it isn't planned yet: the agent detects, reports, and leaves the kernel as it is.
 * An empty list is a plan that wants none. Every list is in descending order of its items' JSON.
 */
export interface NodeConfigSpec {
  /** Which node this is for, as the object's name doesn't tell a cluster's name from a node's. */
  readonly clusterName?: string | undefined;
  readonly nodeName?: string | undefined;
  readonly devices?: readonly NodeConfigDevice[] | undefined;
  readonly routes?: readonly NodeConfigRoute[] | undefined;
  /** NAT in Kosmos' form, for its agents; ours apply `nat`. */
  readonly iptables?: readonly NodeConfigIptables[] | undefined;
  readonly fdbs?: readonly NodeConfigNeighbour[] | undefined;
  readonly arps?: readonly NodeConfigNeighbour[] | undefined;
  /** The same NAT as `iptables`; wins over it where present, also when empty. */
  readonly nat?: readonly NodeConfigNat[] | undefined;
  readonly detection?: NodeConfigDetection | undefined;
  /** What to switch when a gateway is dead. */
  readonly gateways?: readonly NodeConfigGateways[] | undefined;
  /** Whom to probe inside the tunnels. */
  readonly peers?: readonly NodeConfigPeer[] | undefined;
  readonly settings?: NodeConfigSettings | undefined;
}

/** A VXLAN device. */
export interface NodeConfigDevice {
  readonly type: 'vxlan';
  readonly name: string;
  /** Tunnel address with the length of its prefix. */
  readonly addr: string;
  readonly mac: string;
  /** Underlay interface. */
  readonly bindDev: string;
  /** VNI. */
  readonly id: number;
  /** UDP port of the destination. */
  readonly port: number;
  /** In bytes. The agent takes what the underlay interface allows when absent or when that is less. */
  readonly mtu?: number | undefined;
}

/** A route of the own table, always `onlink`. */
export interface NodeConfigRoute {
  readonly cidr: string;
  readonly gw: string;
  readonly dev: string;
}

export interface NodeConfigIptables {
  readonly table: string;
  readonly chain: string;
  readonly rule: string;
}

/** FDB entry: `ip` is the underlay address. Neighbour (`arps`): `ip` is the tunnel address. */
export interface NodeConfigNeighbour {
  readonly ip: string;
  readonly mac: string;
  readonly dev: string;
}

/**
 * One rule of NAT.
 *
 * `masquerade`: packets from `source` that leave through `outDev` (through any device when absent) get the address of the
 * device that they leave through.
 *
 * `prefixSnat` (`source`, `to`, `outDev`) and `prefixDnat` (`destination`, `to`, `inDev`) swap the prefix of an address,
 * and keep its host bits; both prefixes are of one length. They have to be applied without connection tracking: the DNAT
 * before conntrack sees the packet, the SNAT after its NAT. Only then can kube-proxy translate the same packet (a
 * connection gets one destination translation, the first), and answers may come back through another gateway.
 */
export interface NodeConfigNat {
  readonly type: 'masquerade' | 'prefixDnat' | 'prefixSnat';
  readonly family: 'ipv4' | 'ipv6';
  readonly source?: string | undefined;
  readonly destination?: string | undefined;
  readonly to?: string | undefined;
  readonly inDev?: string | undefined;
  readonly outDev?: string | undefined;
}

/** How the agent finds the underlay interface: by name, by the route to an address, or by the default route. */
export interface NodeConfigDetection {
  readonly method: 'interface' | 'canReach' | 'defaultRoute';
  /** Exact name; with `interface` only. */
  readonly interfaceName?: string | undefined;
  /** Address; with `canReach` only. */
  readonly canReach?: string | undefined;
}

/**
 * Gateways of a cluster, and the destinations that are routed through them. `spec.routes` goes through the first of
 * `candidates`; the agent goes to the next one that answers its probes when that one doesn't.
 *
 * The entry of the node's own cluster, if there is one, decides first: as long as its active candidate is another node,
 * all of its `cidrs` are routed through that one. When the active candidate is the node itself (`self`), each destination
 * goes through the active candidate of the cluster whose `cidrs` have it, or else as `directRoutes` says.
 * A candidate already has all that others need to reach it (devices, FDB, neighbours, NAT): only routes switch.
 */
export interface NodeConfigGateways {
  readonly clusterName: string;
  /** In order of preference. */
  readonly candidates: readonly NodeConfigGatewayCandidate[];
  readonly cidrs: readonly string[];
  /** In the entry of the own cluster, on a node that is a candidate itself: routes that depend on no gateway. */
  readonly directRoutes?: readonly NodeConfigRoute[] | undefined;
}

export interface NodeConfigGatewayCandidate {
  readonly nodeName: string;
  /** The node that this config is for; it has no `gw` then. */
  readonly self?: boolean | undefined;
  /** Tunnel addresses, for routes and for probes, and their devices. */
  readonly gw?: string | undefined;
  readonly dev?: string | undefined;
  readonly gw6?: string | undefined;
  readonly dev6?: string | undefined;
}

export interface NodeConfigPeer {
  readonly clusterName: string;
  readonly nodeName: string;
  /** Tunnel addresses of the peer. */
  readonly ip?: string | undefined;
  readonly ip6?: string | undefined;
}

export interface NodeConfigSettings {
  readonly routeTable?: number | undefined;
  readonly rulePriority?: number | undefined;
  /** Marks routes as ours. */
  readonly routeProtocol?: number | undefined;
  /** Whether the MSS of forwarded TCP connections is clamped to what the tunnels can carry. */
  readonly clampMss?: boolean | undefined;
}

/** Written by the node's agent. */
export interface NodeConfigStatus {
  /** The generation that the kernel was last brought to. */
  readonly observedGeneration?: number | undefined;
  readonly lastChangeTime?: string | undefined;
  readonly lastSyncTime?: string | undefined;
  readonly detected?: NodeConfigDetected | undefined;
  /** How many kernel objects were put right that others had changed, since the agent started. */
  readonly driftRepaired?: number | undefined;
  /** What could not be applied, with the kernel's own text. */
  readonly errors?: readonly string[] | undefined;
  readonly peers?: readonly NodeConfigPeerStatus[] | undefined;
  readonly activeGateways?: readonly NodeConfigActiveGateway[] | undefined;
  readonly conditions?: readonly ClusterCondition[] | undefined;
}

export interface NodeConfigDetected {
  readonly interfaceName: string;
  readonly ip?: string | undefined;
  readonly ip6?: string | undefined;
  /** Of the interface, in bytes. */
  readonly mtu?: number | undefined;
}

export interface NodeConfigPeerStatus {
  /** `<cluster>/<node>`. */
  readonly name: string;
  readonly ip: string;
  readonly reachable: boolean;
  /** Milliseconds, of the last probes that came back. */
  readonly rttMs?: number | undefined;
  /** Part of the last probes that did not come back, from 0 to 1. */
  readonly loss?: number | undefined;
}

/** Which candidate of `spec.gateways` the node's routes go through. */
export interface NodeConfigActiveGateway {
  readonly clusterName: string;
  readonly nodeName: string;
  /** Since when, if the agent chose it by itself. */
  readonly switchedTime?: string | undefined;
}

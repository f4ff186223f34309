import type { VxlanCidrs } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfigSettings } from '../../apis/kosmos/v1alpha1/node-config.js';
import { BRIDGE_DEVICE, BRIDGE_DEVICE_6, LOCAL_DEVICE, LOCAL_DEVICE_6 } from '../../apis/names.js';
import type { IpFamily } from '../../lib/cidr.js';

/** VNI and UDP port of a kind of tunnel. Both ends need the same. */
export interface TunnelNumbers {
  readonly vni: number;
  readonly port: number;
}

/** Tunnels between clusters, and inside a cluster between its nodes and its gateway. */
export type TunnelKind = 'bridge' | 'local';

/** What holds for all clusters. */
export interface PlannerSettings {
  readonly tunnels: Readonly<Record<TunnelKind, Readonly<Record<IpFamily, TunnelNumbers>>>>;
  /** Ranges of the tunnels' addresses, for Clusters that don't say their own. */
  readonly prefixes: Readonly<Record<TunnelKind, VxlanCidrs>>;
  /** Bytes that the underlay carries, for Clusters that don't say; undefined leaves it to the interfaces. */
  readonly mtu: number | undefined;
  readonly routeTable: number;
  readonly rulePriority: number;
  readonly routeProtocol: number;
  readonly clampMss: boolean;
  /** How many peers a node probes at most. */
  readonly probePeers: number;
}

/** Kosmos' numbers, where it has some. */
export const DEFAULT_PLANNER_SETTINGS: PlannerSettings = {
  tunnels: {
    bridge: { ipv4: { vni: 54, port: 4876 }, ipv6: { vni: 64, port: 4866 } },
    local: { ipv4: { vni: 55, port: 4877 }, ipv6: { vni: 65, port: 4867 } },
  },
  prefixes: {
    bridge: { ip: '220.0.0.0/8', ip6: '9470::/16' },
    local: { ip: '210.0.0.0/8', ip6: '9480::/16' },
  },
  mtu: undefined,
  routeTable: 200,
  rulePriority: 200,
  routeProtocol: 98,
  clampMss: true,
  probePeers: 64,
};

/** Names of the devices. */
export const DEVICE_NAMES: Readonly<Record<TunnelKind, Readonly<Record<IpFamily, string>>>> = {
  bridge: { ipv4: BRIDGE_DEVICE, ipv6: BRIDGE_DEVICE_6 },
  local: { ipv4: LOCAL_DEVICE, ipv6: LOCAL_DEVICE_6 },
};

/**
 * Bytes that VXLAN adds to a packet: outer IP header (20, or 40 of IPv6), UDP (8), VXLAN (8), inner Ethernet (14);
 * RFC 7348, section 5.
 */
export const VXLAN_OVERHEAD: Readonly<Record<IpFamily, number>> = { ipv4: 50, ipv6: 70 };

/** The part of the settings that goes to the agents. */
export function agentSettings(settings: PlannerSettings): NodeConfigSettings {
  const { routeTable, rulePriority, routeProtocol, clampMss } = settings;
  return { routeTable, rulePriority, routeProtocol, clampMss };
}

import type { ClusterNode, ClusterNodeSpec } from '../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster, ClusterLinkOptions, ClusterLinkStatus } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig, NodeConfigDevice, NodeConfigSpec } from '../../src/apis/kosmos/v1alpha1/node-config.js';

/** A Cluster as its CRD fills it in, with IPv4 only. */
export function linkCluster(name: string, options: ClusterLinkOptions, found: ClusterLinkStatus): Cluster {
  return {
    metadata: { name },
    spec: {
      clusterLinkOptions: {
        enable: true,
        cni: 'calico',
        networkType: 'p2p',
        ipFamily: 'ipv4',
        bridgeCIDRs: { ip: '220.0.0.0/8', ip6: '9470::/16' },
        localCIDRs: { ip: '210.0.0.0/8', ip6: '9480::/16' },
        defaultNICName: '*',
        ...options,
      },
    },
    status: { clusterLinkStatus: found },
  };
}

/** A ClusterNode `<cluster>-<node>` with an interface eth0. */
export function linkNode(clusterName: string, nodeName: string, spec: ClusterNodeSpec): ClusterNode {
  return {
    metadata: { name: `${clusterName}-${nodeName}` },
    spec: { clusterName, nodeName, interfaceName: 'eth0', ...spec },
  };
}

/** What the planner needs to know of a node's present NodeConfig: MACs `<macPrefix>:b0` of vx-bridge, `:a0` of vx-local. */
export function previousConfig(name: string, macPrefix: string): NodeConfig {
  const device = (deviceName: string, suffix: string): NodeConfigDevice => ({
    ...{ type: 'vxlan', name: deviceName, addr: '', bindDev: 'eth0', id: 1, port: 1 },
    mac: `${macPrefix}:${suffix}`,
  });
  return {
    metadata: { name },
    spec: {
      devices: [
        device('vx-bridge', 'b0'),
        device('vx-local', 'a0'),
        device('vx-bridge-6', 'b6'),
        device('vx-local-6', 'a6'),
      ],
    },
  };
}

/** The lists of a NodeConfig, one text for each entry, in the order in which they are stored. */
export interface Listed {
  readonly devices: readonly string[];
  readonly routes: readonly string[];
  readonly fdbs: readonly string[];
  readonly arps: readonly string[];
  readonly iptables: readonly string[];
}

/** Short names of MACs: `Z` for zeros, `B12` and `L12` for `02:01:02:00:00:b0` and `:a0`, with `'` for `:b6` and `:a6`. */
function macName(mac: string): string {
  if (mac === '00:00:00:00:00:00') return 'Z';
  const [, cluster = '', node = '', kind = '', family = ''] =
    /^02:0(\d):0(\d):00:00:([ab])([06])$/.exec(mac) ?? ([] as readonly string[]);
  return kind === '' ? mac : `${kind === 'b' ? 'B' : 'L'}${cluster}${node}${family === '6' ? "'" : ''}`;
}

export function listed(spec: NodeConfigSpec | undefined): Listed {
  const { devices = [], routes = [], fdbs = [], arps = [], iptables = [] } = spec ?? {};
  return {
    devices: devices.map((d) => [d.name, d.addr, macName(d.mac), d.bindDev, d.id, d.port].join(' ')),
    routes: routes.map(({ cidr, gw, dev }) => `${cidr} via ${gw} ${dev}`),
    fdbs: fdbs.map(({ ip, mac, dev }) => `${ip} ${macName(mac)} ${dev}`),
    arps: arps.map(({ ip, mac, dev }) => `${ip} ${macName(mac)} ${dev}`),
    iptables: iptables.map(({ table, chain, rule }) => `${table} ${chain} ${rule}`),
  };
}

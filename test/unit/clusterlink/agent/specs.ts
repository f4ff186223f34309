import type { NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import type { Underlay } from '../../../../src/clusterlink/agent/desired.js';
import type { Device, NetworkState, PresentDevice, PresentState } from '../../../../src/clusterlink/agent/state.js';

export const MAC = '02:02:01:00:00:b0';
export const ZERO = '00:00:00:00:00:00';

/** A P2P node with one peer. */
export const spec: NodeConfigSpec = {
  clusterName: 'east',
  nodeName: 'n1',
  devices: [
    { type: 'vxlan', name: 'vx-bridge', addr: '220.18.1.11/8', mac: MAC, bindDev: 'eth0', id: 54, port: 4876 },
    { type: 'vxlan', name: 'vx-bridge-6', addr: '9470:18::1:11/16', mac: MAC, bindDev: 'eth0', id: 64, port: 4866 },
  ],
  routes: [
    { cidr: '10.20.0.0/16', gw: '220.18.2.21', dev: 'vx-bridge' },
    { cidr: 'fd11:20::/64', gw: '9470:18::2:21', dev: 'vx-bridge-6' },
  ],
  fdbs: [
    { ip: '172.18.2.21', mac: MAC, dev: 'vx-bridge' },
    { ip: '172.18.2.21', mac: ZERO, dev: 'vx-bridge' },
  ],
  arps: [{ ip: '220.18.2.21', mac: MAC, dev: 'vx-bridge' }],
  nat: [],
};

/** The interface `eth0`. */
export const eth0: Underlay = { mtu: 1500, ip: '172.18.1.11', ip6: 'fd00:18::1:11' };

export function underlay(name: string): Underlay | undefined {
  return name === 'eth0' ? eth0 : undefined;
}

/** A state that is as wanted, as the kernel would tell of it. */
export function presentAs(state: NetworkState): PresentState {
  const devices = [...state.devices].map(([name, vxlan], index): [string, PresentDevice] => [
    name,
    { index: index + 10, name, vxlan, up: true, own: true },
  ]);
  return { ...state, devices: new Map(devices) };
}

export function device(name: string, change: Partial<Device> = {}): Device {
  return { name, mac: MAC, mtu: 1450, vni: 54, port: 4876, local: '172.18.1.11', underlay: 'eth0', ...change };
}

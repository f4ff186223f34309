import type { Surroundings } from '../../../../src/clusterlink/agent/detect.js';
import type { Changes } from '../../../../src/clusterlink/agent/diff.js';
import type { Kernel } from '../../../../src/clusterlink/agent/kernel.js';
import type { KernelAddress } from '../../../../src/clusterlink/agent/netlink/address.js';
import type { Link } from '../../../../src/clusterlink/agent/netlink/link.js';
import type { KernelRoute } from '../../../../src/clusterlink/agent/netlink/route.js';
import type { Nftables } from '../../../../src/clusterlink/agent/nftables/nft.js';
import { EMPTY_STATE, type NetworkState, type PresentState } from '../../../../src/clusterlink/agent/state.js';
import type { SavedSysctl } from '../../../../src/clusterlink/agent/state-store.js';
import type { SysctlFiles } from '../../../../src/clusterlink/agent/sysctl.js';
import { applyChanges } from './model-kernel.js';
import { presentAs } from './specs.js';

const eth0: Link = {
  ...{ index: 2, name: 'eth0', kind: undefined, mac: '02:00:00:00:00:01', mtu: 1500, up: true, loopback: false },
  ...{ alias: undefined, vxlan: undefined, bytes: undefined },
};
const addresses: readonly KernelAddress[] = [
  { index: 2, ip: '172.18.1.11', prefixLength: 16, family: 'ipv4', scope: 0, unsuitable: false },
  { index: 2, ip: 'fd00:18::1:11', prefixLength: 64, family: 'ipv6', scope: 0, unsuitable: false },
];
const defaultRoute: KernelRoute = {
  ...{ family: 'ipv4', table: 254, protocol: 3, type: 1, destination: '0.0.0.0', prefixLength: 0 },
  ...{ gateway: '172.18.0.1', index: 2, metric: 0, source: undefined, paths: [] },
};

/** A machine with one interface. */
export const around: Surroundings = { links: [eth0], addresses, routes: [defaultRoute] };

/** A kernel that keeps what it is told. */
export class FakeKernel implements Kernel {
  state: PresentState = presentAs(EMPTY_STATE);
  readonly events: string[] = [];
  /** What it says of the next change, which it does nevertheless. */
  refusal: string | undefined;
  /** Thrown by every question. */
  failure: Error | undefined;
  around = around;

  links(): readonly Link[] {
    if (this.failure !== undefined) throw this.failure;
    return this.around.links;
  }

  addresses(): readonly KernelAddress[] {
    return this.around.addresses;
  }

  routes({ family }: { readonly family: string }): readonly KernelRoute[] {
    return this.around.routes.filter((route) => route.family === family);
  }

  present(): PresentState {
    return this.state;
  }

  async apply(changes: Changes, afterDevices?: () => Promise<void>): Promise<readonly string[]> {
    this.events.push('devices');
    await afterDevices?.();
    this.events.push('between', 'rest');
    this.state = applyChanges(this.state, changes);
    return this.refusal === undefined ? [] : [this.refusal];
  }

  /** Somebody deletes all of a kind. */
  lose(kind: keyof NetworkState): void {
    this.state = { ...this.state, [kind]: new Map([...this.state[kind]].slice(1) as []) };
  }
}

/** nftables that lists the text that it was given. */
export class FakeNftables implements Nftables {
  table: string | undefined;
  readonly runs: string[] = [];
  failure: Error | undefined;

  list(): Promise<string | undefined> {
    return Promise.resolve(this.table);
  }

  run(text: string): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.runs.push(text);
    this.table = text;
    return Promise.resolve();
  }

  remove(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.table = undefined;
    return Promise.resolve();
  }
}

/** Settings in memory, and what is kept of them. */
export class FakeSysctls implements SysctlFiles {
  readonly values: Record<string, string>;
  readonly saved: Record<string, SavedSysctl> = {};
  readOnly: string | undefined;

  constructor(values: Readonly<Record<string, string>>) {
    this.values = { ...values };
  }

  read(key: string): string | undefined {
    return this.values[key];
  }

  write(key: string, value: string): void {
    if (key === this.readOnly) throw new Error('EROFS');
    this.values[key] = value;
  }

  savedSysctls(): Readonly<Record<string, SavedSysctl>> {
    return this.saved;
  }

  saveSysctl(key: string, saved: SavedSysctl): void {
    this.saved[key] = saved;
  }
}

import type { LookupRule } from './netlink/rule.js';
import { ALL_ZERO_MAC } from './netlink/neighbour.js';
import type { Device, DeviceAddress, NetworkState, Peer, PresentDevice, PresentState, Route } from './state.js';

/** One change of the kernel. */
export type Operation =
  | { readonly kind: 'device'; readonly action: 'add'; readonly item: Device }
  | { readonly kind: 'device'; readonly action: 'change'; readonly item: Device }
  | { readonly kind: 'device'; readonly action: 'delete'; readonly item: { readonly name: string } }
  | { readonly kind: 'address'; readonly action: 'add' | 'delete'; readonly item: DeviceAddress }
  | { readonly kind: 'rule'; readonly action: 'add' | 'delete'; readonly item: LookupRule }
  | { readonly kind: 'neighbour'; readonly action: 'add' | 'delete'; readonly item: Peer }
  | { readonly kind: 'forwarding'; readonly action: 'add' | 'delete'; readonly item: Peer }
  | { readonly kind: 'route'; readonly action: 'add' | 'delete'; readonly item: Route };

/** What has to be done, in order, and what is in the way of it. */
export interface Changes {
  /** First, on their own: what follows needs the numbers of new devices. */
  readonly devices: readonly Operation[];
  readonly rest: readonly Operation[];
  /** Devices that have the name of a wanted one, and aren't ours to change. */
  readonly problems: readonly string[];
}

/**
 * What turns one state into the other, in an order in which nothing is missing that was there before: new things from
 * devices up to routes, then old ones from routes down to devices. A device that has to be made anew loses all that hangs
 * on it; that is added again in the same pass.
 */
export function diffStates(present: PresentState, wanted: NetworkState): Changes {
  const devices = diffDevices(present.devices, wanted.devices);
  const kept = <T extends OnDevice>(items: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    without(items, devices.gone);
  const usable = <T extends OnDevice>(items: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    without(items, devices.blocked);

  const addresses = compare<DeviceAddress>(kept(present.addresses), usable(wanted.addresses), () => true);
  const rules = compare(present.rules, wanted.rules, () => true);
  const neighbours = compare<Peer>(
    kept(present.neighbours),
    usable(wanted.neighbours),
    (one, other) => one.mac === other.mac,
  );
  const forwarding = withoutReplaced(compare<Peer>(kept(present.forwarding), usable(wanted.forwarding), () => true));
  const routes = compare<Route>(kept(present.routes), usable(wanted.routes), sameNextHop);
  return {
    devices: devices.operations,
    problems: devices.problems,
    rest: [
      ...operations('address', 'add', addresses.added),
      ...operations('rule', 'add', rules.added),
      ...operations('neighbour', 'add', neighbours.added),
      ...operations('forwarding', 'add', forwarding.added),
      ...operations('route', 'add', routes.added),
      ...operations('route', 'delete', routes.removed),
      ...operations('forwarding', 'delete', forwarding.removed),
      ...operations('neighbour', 'delete', neighbours.removed),
      ...operations('rule', 'delete', rules.removed),
      ...operations('address', 'delete', addresses.removed),
      ...devices.afterwards,
    ],
  };
}

/** How many operations there are. */
export function countChanges({ devices, rest }: Changes): number {
  return devices.length + rest.length;
}

interface OnDevice {
  readonly dev: string;
}

function without<T extends OnDevice>(
  items: ReadonlyMap<string, T>,
  devices: ReadonlySet<string>,
): ReadonlyMap<string, T> {
  return devices.size === 0 ? items : new Map([...items].filter(([, { dev }]) => !devices.has(dev)));
}

interface DeviceDiff {
  readonly operations: readonly Operation[];
  /** Old devices that are in nobody's way. */
  readonly afterwards: readonly Operation[];
  /** Devices that go away, perhaps to be made anew, with all that hangs on them. */
  readonly gone: ReadonlySet<string>;
  /** Wanted devices that can't be made. */
  readonly blocked: ReadonlySet<string>;
  readonly problems: readonly string[];
}

function diffDevices(present: ReadonlyMap<string, PresentDevice>, wanted: ReadonlyMap<string, Device>): DeviceDiff {
  const before: Operation[] = [];
  const made: Operation[] = [];
  const gone = new Set<string>();
  const blocked = new Set<string>();
  for (const [name, item] of wanted) {
    const there = present.get(name);
    switch (judge(there, item)) {
      case 'foreign':
        blocked.add(name);
        break;
      case 'missing':
        made.push({ kind: 'device', action: 'add', item });
        break;
      case 'other':
        gone.add(name);
        before.push({ kind: 'device', action: 'delete', item: { name } });
        made.push({ kind: 'device', action: 'add', item });
        break;
      case 'changed':
        made.push({ kind: 'device', action: 'change', item });
        break;
      case 'same':
        break;
    }
  }
  const afterwards: Operation[] = [];
  for (const there of present.values()) {
    const { name, own } = there;
    if (wanted.has(name) || !own) continue;
    gone.add(name);
    (isInTheWay(there, wanted) ? before : afterwards).push({ kind: 'device', action: 'delete', item: { name } });
  }
  const problems = [...blocked].map(
    (name) => `device ${name}: there is another device of that name, which is left alone`,
  );
  return { operations: [...before, ...made], afterwards, gone, blocked, problems };
}

type Judgement = 'foreign' | 'missing' | 'other' | 'changed' | 'same';

function judge(there: PresentDevice | undefined, wanted: Device): Judgement {
  if (there === undefined) return 'missing';
  if (there.vxlan === undefined) return there.own ? 'other' : 'foreign';
  if (!sameTunnel(there.vxlan, wanted)) return 'other';
  return sameDevice(there, wanted) ? 'same' : 'changed';
}

/** The kernel allows no two devices of one VNI and port. */
function isInTheWay({ vxlan }: PresentDevice, wanted: ReadonlyMap<string, Device>): boolean {
  return [...wanted.values()].some(({ vni, port }) => vni === vxlan?.vni && port === vxlan.port);
}

/** These can't be changed while a device is there. */
function sameTunnel(one: Device, other: Device): boolean {
  return (
    one.vni === other.vni && one.port === other.port && one.local === other.local && one.underlay === other.underlay
  );
}

function sameDevice({ vxlan, up, own }: PresentDevice, wanted: Device): boolean {
  return up && own && vxlan?.mac === wanted.mac && vxlan.mtu === wanted.mtu;
}

function sameNextHop(one: Route, other: Route): boolean {
  return one.gateway === other.gateway && one.dev === other.dev && one.protocol === other.protocol;
}

interface Difference<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
}

/** What has a key in both, but differs, is added only: adding it replaces the old one. */
function compare<T>(
  present: ReadonlyMap<string, T>,
  wanted: ReadonlyMap<string, T>,
  same: (one: T, other: T) => boolean,
): Difference<T> {
  const added: T[] = [];
  for (const [key, item] of wanted) {
    const there = present.get(key);
    if (there === undefined || !same(there, item)) added.push(item);
  }
  const removed = [...present].filter(([key]) => !wanted.has(key)).map(([, item]) => item);
  return { added, removed };
}

/** Adding a forwarding entry of an ordinary Ethernet address replaces its old destination, which is gone then. */
function withoutReplaced({ added, removed }: Difference<Peer>): Difference<Peer> {
  const replaced = new Set(added.filter(({ mac }) => mac !== ALL_ZERO_MAC).map(({ dev, mac }) => `${dev} ${mac}`));
  return { added, removed: removed.filter(({ dev, mac }) => !replaced.has(`${dev} ${mac}`)) };
}

function operations<K extends Operation['kind']>(
  kind: K,
  action: 'add' | 'delete',
  items: readonly Extract<Operation, { kind: K }>['item'][],
): Operation[] {
  return items.map((item) => ({ kind, action, item }) as unknown as Operation);
}

/** A line about an operation, for errors. */
export function describeOperation({ kind, action, item }: Operation): string {
  return `${action} ${kind} ${describeItem(item)}`;
}

function describeItem(item: Operation['item']): string {
  if ('destination' in item) return `${item.destination}/${item.prefixLength} via ${item.gateway} dev ${item.dev}`;
  if ('priority' in item) return `${item.family} pref ${item.priority} lookup ${item.table}`;
  if ('prefixLength' in item) return `${item.ip}/${item.prefixLength} dev ${item.dev}`;
  if ('dev' in item) return `${item.ip} lladdr ${item.mac} dev ${item.dev}`;
  return item.name;
}

import type { Changes, Operation } from '../../../../src/clusterlink/agent/diff.js';
import {
  addressKey,
  forwardingKey,
  neighbourKey,
  type Peer,
  type PresentDevice,
  type PresentState,
  type Route,
  routeKey,
  ruleKey,
} from '../../../../src/clusterlink/agent/state.js';
import { ZERO } from './specs.js';

/** What the kernel would make of changes, with those of its habits that matter for their order. */
export function applyChanges(present: PresentState, { devices, rest }: Changes): PresentState {
  return [...devices, ...rest].reduce(applyOperation, present);
}

function applyOperation(state: PresentState, operation: Operation): PresentState {
  const { kind, action, item } = operation;
  switch (kind) {
    case 'device':
      return action === 'delete' ? withoutDevice(state, item.name) : withDevice(state, operation);
    case 'address':
      return { ...state, addresses: put(state.addresses, action, addressKey(item), item) };
    case 'rule':
      return { ...state, rules: put(state.rules, action, ruleKey(item), item) };
    case 'neighbour':
      return { ...state, neighbours: put(state.neighbours, action, neighbourKey(item), item) };
    case 'forwarding':
      return { ...state, forwarding: put(othersThan(state.forwarding, item), action, forwardingKey(item), item) };
    case 'route':
      if (action === 'delete') expectRoute(state.routes, item);
      return { ...state, routes: put(state.routes, action, routeKey(item), item) };
  }
}

/** An ordinary Ethernet address has one destination. */
function othersThan(entries: ReadonlyMap<string, Peer>, { dev, mac }: Peer): ReadonlyMap<string, Peer> {
  if (mac === ZERO) return entries;
  return new Map([...entries].filter(([, other]) => other.mac !== mac || other.dev !== dev));
}

/** A delete names the next hop, and doesn't fit another one. */
function expectRoute(routes: ReadonlyMap<string, Route>, route: Route): void {
  if (routes.get(routeKey(route))?.gateway !== route.gateway) throw new Error(`no such route: ${routeKey(route)}`);
}

function withDevice(state: PresentState, { action, item }: Extract<Operation, { kind: 'device' }>): PresentState {
  if (action === 'delete' || (action === 'add' && state.devices.has(item.name)))
    throw new Error(`there is ${item.name}`);
  const there: PresentDevice = { index: 1, name: item.name, vxlan: item, up: true, own: true };
  return { ...state, devices: put(state.devices, 'add', item.name, there) };
}

/** All that hangs on it goes with it. */
function withoutDevice(state: PresentState, name: string): PresentState {
  const rest = <T extends { readonly dev: string }>(items: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...items].filter(([, { dev }]) => dev !== name));
  return {
    devices: new Map([...state.devices].filter(([key]) => key !== name)),
    rules: state.rules,
    addresses: rest(state.addresses),
    neighbours: rest(state.neighbours),
    forwarding: rest(state.forwarding),
    routes: rest(state.routes),
  };
}

function put<T>(items: ReadonlyMap<string, T>, action: 'add' | 'delete', key: string, item: T): ReadonlyMap<string, T> {
  const changed = new Map(items);
  if (action === 'delete') changed.delete(key);
  else changed.set(key, item);
  return changed;
}

import type { Changes, Operation } from '../../../../src/clusterlink/agent/diff.js';
import {
  addressKey,
  forwardingKey,
  neighbourKey,
  type PresentState,
  routeKey,
  ruleKey,
} from '../../../../src/clusterlink/agent/state.js';
import { ZERO } from './specs.js';

type Mutable = { [Kind in keyof PresentState]: Map<string, never> };

/** What the kernel would make of changes, with those of its habits that matter for their order. */
export function applyChanges(present: PresentState, { devices, rest }: Changes): PresentState {
  const state = Object.fromEntries(
    Object.entries(present).map(([kind, items]) => [kind, new Map(items as ReadonlyMap<string, never>)]),
  ) as unknown as Mutable;
  for (const operation of [...devices, ...rest]) apply(state, operation);
  return state;
}

function apply(state: Mutable, operation: Operation): void {
  switch (operation.kind) {
    case 'device':
      applyDevice(state, operation);
      break;
    case 'address':
      put(state.addresses, operation.action, addressKey(operation.item), operation.item);
      break;
    case 'rule':
      put(state.rules, operation.action, ruleKey(operation.item), operation.item);
      break;
    case 'neighbour':
      put(state.neighbours, operation.action, neighbourKey(operation.item), operation.item);
      break;
    case 'forwarding': {
      const { item, action } = operation;
      if (action === 'add' && item.mac !== ZERO) {
        // An ordinary address has one destination.
        for (const [key, other] of state.forwarding as Map<string, typeof item>) {
          if (other.mac === item.mac && other.dev === item.dev) state.forwarding.delete(key);
        }
      }
      put(state.forwarding, action, forwardingKey(item), item);
      break;
    }
    case 'route': {
      const { item, action } = operation;
      const there = state.routes.get(routeKey(item)) as typeof item | undefined;
      // A delete names the next hop, and doesn't fit another one.
      if (action === 'delete' && there?.gateway !== item.gateway) throw new Error(`no such route: ${routeKey(item)}`);
      put(state.routes, action, routeKey(item), item);
    }
  }
}

function applyDevice(state: Mutable, { action, item }: Extract<Operation, { kind: 'device' }>): void {
  if (action === 'delete') {
    state.devices.delete(item.name);
    for (const items of [state.addresses, state.neighbours, state.forwarding, state.routes]) {
      for (const [key, { dev }] of items as Map<string, { readonly dev: string }>)
        if (dev === item.name) items.delete(key);
    }
    return;
  }
  if (action === 'add' && state.devices.has(item.name)) throw new Error(`there is a device ${item.name}`);
  const there = { index: 1, name: item.name, vxlan: item, up: true, own: true };
  state.devices.set(item.name, there as never);
}

function put(items: Map<string, never>, action: 'add' | 'delete' | 'change', key: string, item: unknown): void {
  if (action === 'delete') items.delete(key);
  else items.set(key, item as never);
}

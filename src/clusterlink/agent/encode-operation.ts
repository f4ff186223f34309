import type { Operation } from './diff.js';
import { encodeAddressAdd, encodeAddressDelete } from './netlink/address.js';
import { encodeLinkChange, encodeLinkDelete, encodeVxlanAdd } from './netlink/link.js';
import {
  encodeForwardingAdd,
  encodeForwardingDelete,
  encodeNeighbourDelete,
  encodeNeighbourReplace,
} from './netlink/neighbour.js';
import { encodeRouteDelete, encodeRouteReplace, NO_DEVICE } from './netlink/route.js';
import { encodeRuleAdd, encodeRuleDelete } from './netlink/rule.js';
import type { EncodeRequest } from './netlink/socket.js';
import { OWN_ALIAS } from './state.js';

/** The request of an operation; undefined when a device that it names has no number, hence isn't there. */
export function encodeOperation(operation: Operation, indexes: ReadonlyMap<string, number>): EncodeRequest | undefined {
  const { kind, action, item } = operation;
  switch (kind) {
    case 'device':
      return encodeDevice(operation, indexes);
    case 'rule':
      return (writer, sequence) => (action === 'add' ? encodeRuleAdd : encodeRuleDelete)(writer, sequence, item);
    default:
      return encodeOnDevice(operation, namesNoDevice(operation) ? NO_DEVICE : indexes.get(item.dev));
  }
}

/** Somebody else's route of our protocol may have several paths: it goes away, and is on no device. */
export function namesNoDevice({ kind, action, item }: Operation): boolean {
  return kind === 'route' && action === 'delete' && item.dev === '';
}

type DeviceOperation = Extract<Operation, { kind: 'device' }>;
type DependentOperation = Extract<Operation, { kind: 'address' | 'neighbour' | 'forwarding' | 'route' }>;

function encodeDevice(operation: DeviceOperation, indexes: ReadonlyMap<string, number>): EncodeRequest | undefined {
  const index = indexes.get(operation.action === 'add' ? operation.item.underlay : operation.item.name);
  if (index === undefined) return undefined;
  switch (operation.action) {
    case 'add':
      return (writer, sequence) => encodeVxlanAdd(writer, sequence, { ...operation.item, underlay: index });
    case 'change': {
      const { mac, mtu } = operation.item;
      return (writer, sequence) => encodeLinkChange(writer, sequence, index, { mac, mtu, alias: OWN_ALIAS, up: true });
    }
    case 'delete':
      return (writer, sequence) => encodeLinkDelete(writer, sequence, index);
  }
}

function encodeOnDevice(operation: DependentOperation, index: number | undefined): EncodeRequest | undefined {
  if (index === undefined) return undefined;
  const adding = operation.action === 'add';
  switch (operation.kind) {
    case 'address': {
      const encode = adding ? encodeAddressAdd : encodeAddressDelete;
      return (writer, sequence) => encode(writer, sequence, { ...operation.item, index });
    }
    case 'neighbour': {
      const encode = adding ? encodeNeighbourReplace : encodeNeighbourDelete;
      return (writer, sequence) => encode(writer, sequence, { ...operation.item, index });
    }
    case 'forwarding': {
      const encode = adding ? encodeForwardingAdd : encodeForwardingDelete;
      return (writer, sequence) => encode(writer, sequence, { ...operation.item, index });
    }
    case 'route': {
      const encode = adding ? encodeRouteReplace : encodeRouteDelete;
      return (writer, sequence) => encode(writer, sequence, { ...operation.item, index });
    }
  }
}

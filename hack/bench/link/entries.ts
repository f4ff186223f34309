import { metricOf } from '../../../src/clusterlink/agent/state.js';
import type { Operation } from '../../../src/clusterlink/agent/diff.js';

/** The device that all entries are of. */
export const DEVICE = 'vx-bench';
/** Kinds of entries, in the order in which they are made. */
export const ENTRY_KINDS = ['forwarding', 'neighbour', 'route'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

const TABLE = 200;
const PROTOCOL = 98;

interface Node {
  readonly underlay: string;
  readonly tunnel: string;
  readonly mac: string;
  readonly pods: string;
}

/** A node of a large cluster: underlay, tunnel and Ethernet address, and the prefix of its pods, one of each. */
function nodeAt(index: number): Node {
  const high = index >> 8;
  const low = index & 0xff;
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return {
    underlay: `172.20.${high}.${low}`,
    tunnel: `220.20.${high}.${low}`,
    mac: `02:00:00:00:${hex(high)}:${hex(low)}`,
    pods: `10.${128 + (high >> 2)}.${(high & 3) * 64 + (low >> 2)}.${(low & 3) * 64}`,
  };
}

/** What the agent does to have the entries, or to have them no longer. */
export function entryOperations(
  kind: EntryKind,
  count: number,
  action: 'add' | 'delete' = 'add',
): readonly Operation[] {
  return Array.from({ length: count }, (_item, index): Operation => {
    const { underlay, tunnel, mac, pods } = nodeAt(index);
    if (kind === 'forwarding') return { kind, action, item: { dev: DEVICE, ip: underlay, mac } };
    if (kind === 'neighbour') return { kind, action, item: { dev: DEVICE, ip: tunnel, mac } };
    const route = { family: 'ipv4', table: TABLE, protocol: PROTOCOL, gateway: tunnel, dev: DEVICE } as const;
    return { kind, action, item: { ...route, destination: pods, prefixLength: 26, metric: metricOf(tunnel) } };
  });
}

/** The same objects as lines for `bridge -batch` (forwarding entries) or `ip -batch`. */
export function entryCommands(kind: EntryKind, count: number): readonly string[] {
  return Array.from({ length: count }, (_item, index) => {
    const { underlay, tunnel, mac, pods } = nodeAt(index);
    switch (kind) {
      case 'forwarding':
        return `fdb replace ${mac} dev ${DEVICE} dst ${underlay} self permanent`;
      case 'neighbour':
        return `neigh replace ${tunnel} lladdr ${mac} dev ${DEVICE} nud permanent`;
      case 'route': {
        const how = `table ${TABLE} proto ${PROTOCOL} metric ${metricOf(tunnel)}`;
        return `route replace ${pods}/26 via ${tunnel} dev ${DEVICE} onlink ${how}`;
      }
    }
  });
}

import type { Node, Taint } from '../../apis/core.js';
import { NODE_MANAGED_ANNOTATION, NODE_TAINT } from '../../apis/names.js';

/**
 * What Kosmos wrote on a virtual node, recorded on the node itself and changed by the same patch. So it is known after
 * any crash what may be taken away again; all else belongs to somebody else. (Server-side apply can't do it: the list
 * of taints is atomic, and the node controller writes taints of its own.)
 */
export interface ManagedKeys {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
  /** As {@link taintKey} names them. */
  readonly taints: readonly string[];
  /** Whether the node is cordoned by us: because its member node is, or because the virtual node was about to go. */
  readonly unschedulable: boolean;
}

/** Names a taint within its node: two taints of a node never share key and effect. */
export function taintKey(taint: Taint): string {
  return `${taint.key}:${taint.effect}`;
}

/** A node without record: the taint that bears Kosmos' own name can only be ours, for instance from Kosmos in Go. */
const UNRECORDED: ManagedKeys = {
  labels: [],
  annotations: [],
  taints: [taintKey(NODE_TAINT)],
  unschedulable: false,
};

/** The record of a node, as far as it has one that somebody didn't spoil. */
export function readManagedKeys(node: Node): ManagedKeys {
  const text = node.metadata?.annotations?.[NODE_MANAGED_ANNOTATION];
  const record = text === undefined ? undefined : parseObject(text);
  if (record === undefined) return UNRECORDED;
  return {
    labels: strings(record['labels']),
    annotations: strings(record['annotations']),
    taints: strings(record['taints']),
    unschedulable: record['unschedulable'] === true,
  };
}

/** The record as it is written: sorted, and without what is empty. */
export function renderManagedKeys(keys: ManagedKeys): string {
  const lists = { labels: keys.labels, annotations: keys.annotations, taints: keys.taints };
  const kept = Object.entries(lists).filter(([, list]) => list.length > 0);
  return JSON.stringify({
    ...Object.fromEntries(kept.map(([name, list]) => [name, [...list].sort()])),
    ...(keys.unschedulable ? { unschedulable: true } : {}),
  });
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Not JSON: somebody else wrote it.
    return undefined;
  }
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

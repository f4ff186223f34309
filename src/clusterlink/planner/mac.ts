import { createHash } from 'node:crypto';
import type { LinkNode } from './link-node.js';

export const ZERO_MAC = '00:00:00:00:00:00';

/**
 * The MAC of a node's device: locally administered, unicast (IEEE 802), and always the same for the same node, so that it
 * depends on no cache and nobody has to remember it.
 */
export function macOf(node: LinkNode, device: string): string {
  const digest = createHash('sha256').update(`${node.clusterName}/${node.nodeName}/${device}`).digest();
  const [first = 0, ...rest] = digest.subarray(0, 6);
  return [(first & 0xfc) | 0x02, ...rest].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Whether the text is a MAC that a device of ours may have. */
export function isUsableMac(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/.test(text);
}

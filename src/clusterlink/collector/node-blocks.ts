import type { BlockAffinity, CiliumNode } from '../../apis/cluster-network.js';
import { parseCidr } from '../../lib/cidr.js';
import type { LinkNode } from '../cluster/link-node.js';
import type { NetworkFacts } from '../cluster/network-sources.js';

/**
 * The blocks of pod addresses that live on each node, by its name: Calico's affine blocks, what Cilium's operator gave
 * the node, or else the node's own `podCIDRs`. None where Calico keeps them to itself; undefined while not known.
 */
export function nodeBlocks(
  nodes: readonly LinkNode[],
  facts: Pick<NetworkFacts, 'blockAffinities' | 'calicoInEtcd' | 'ciliumNodes'>,
): ReadonlyMap<string, readonly string[]> | undefined {
  const { blockAffinities, calicoInEtcd, ciliumNodes } = facts;
  if (calicoInEtcd === true) return new Map(nodes.map(({ metadata }) => [metadata.name, []]));
  const isKnown = [blockAffinities, ciliumNodes].every(({ state }) => state !== 'unknown');
  if (calicoInEtcd === undefined || !isKnown) return undefined;
  const ofCni = blockAffinities.state === 'known' ? affine(blockAffinities.objects) : cilium(ciliumNodes.objects);
  const isCalico = blockAffinities.state === 'known' && blockAffinities.objects.length > 0;
  return new Map(
    nodes.map((node) => {
      const { name } = node.metadata;
      // Where Calico hands out blocks, the node's podCIDRs are nobody's addresses.
      const blocks = ofCni.get(name) ?? (isCalico ? [] : node.podCIDRs);
      return [name, sortedCidrs(blocks)];
    }),
  );
}

function affine(affinities: readonly BlockAffinity[]): ReadonlyMap<string, readonly string[]> {
  const blocks = new Map<string, string[]>();
  for (const { spec } of affinities) {
    const { cidr, node, state = 'confirmed', deleted = 'false' } = spec ?? {};
    if (cidr === undefined || node === undefined || state !== 'confirmed' || deleted === 'true') continue;
    const present = blocks.get(node);
    if (present === undefined) blocks.set(node, [cidr]);
    else present.push(cidr);
  }
  return blocks;
}

function cilium(objects: readonly CiliumNode[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    objects.flatMap(({ metadata, spec }) => {
      const blocks = spec?.ipam?.podCIDRs ?? [];
      return blocks.length === 0 ? [] : [[metadata?.name ?? '', blocks] as const];
    }),
  );
}

/** In network form, sorted, each once; what is no CIDR is left out. */
export function sortedCidrs(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => parseCidr(text)?.text ?? []))].sort();
}

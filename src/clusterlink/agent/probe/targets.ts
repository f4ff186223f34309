import type { NodeConfigSpec } from '../../../apis/kosmos/v1alpha1/node-config.js';
import { parsePrefix } from '../desired.js';
import { familyOf } from '../netlink/family.js';
import { canonicalIp } from '../netlink/ip-bytes.js';

/** Whom to probe. */
export interface ProbeTarget {
  /** `<cluster>/<node>`. */
  readonly name: string;
  readonly ip: string;
  /** Routes depend on it, so a dead one has to be noticed soon. */
  readonly gateway: boolean;
}

/** What to probe, and from which addresses of this node, for a config. */
export interface ProbePlan {
  readonly targets: readonly ProbeTarget[];
  readonly sources: readonly string[];
}

/** Candidates for gateways and the peers that the config names; each address once. */
export function probePlan(spec: NodeConfigSpec): ProbePlan {
  const sources = (spec.devices ?? []).map(({ addr }) => parsePrefix(addr).ip);
  const own = new Set(sources);
  const families = new Set(sources.map(familyOf));
  const targets = new Map<string, ProbeTarget>();
  const add = (name: string, ip: string | undefined, gateway: boolean): void => {
    if (ip === undefined) return;
    const canonical = canonicalIp(ip);
    if (own.has(canonical) || targets.has(canonical) || !families.has(familyOf(canonical))) return;
    targets.set(canonical, { name, ip: canonical, gateway });
  };
  for (const { clusterName, candidates } of spec.gateways ?? []) {
    for (const { nodeName, gw, gw6, self } of candidates) {
      if (self === true) continue;
      add(`${clusterName}/${nodeName}`, gw, true);
      add(`${clusterName}/${nodeName}`, gw6, true);
    }
  }
  for (const { clusterName, nodeName, ip, ip6 } of spec.peers ?? []) {
    add(`${clusterName}/${nodeName}`, ip, false);
    add(`${clusterName}/${nodeName}`, ip6, false);
  }
  return { targets: [...targets.values()], sources };
}

import type { NodeConfigSpec } from '../../../apis/kosmos/v1alpha1/node-config.js';
import { containsIp, parsePrefix, type Prefix } from '../prefix.js';
import { errorMessage } from '../../../lib/errors.js';
import { canonicalIp } from '../netlink/ip-bytes.js';

/** Whom to probe. */
export interface ProbeTarget {
  /** `<cluster>/<node>`. */
  readonly name: string;
  readonly ip: string;
  /** Own tunnel address to ask from: the one whose prefix has the target, since its device leads there. */
  readonly source: string;
  /** Routes depend on it, so a dead one has to be noticed soon. */
  readonly gateway: boolean;
}

/** What to probe, and from which addresses of this node, for a config. */
export interface ProbePlan {
  readonly targets: readonly ProbeTarget[];
  readonly sources: readonly string[];
  /** Addresses that are none; nobody is probed there. */
  readonly problems: readonly string[];
}

/** Candidates for gateways and the peers that the config names; each address once. */
export function probePlan(spec: NodeConfigSpec): ProbePlan {
  const own = (spec.devices ?? []).flatMap(({ addr }) => ownPrefix(addr));
  const sources = own.map(({ ip }) => ip);
  const targets = new Map<string, ProbeTarget>();
  const problems: string[] = [];
  const add = (name: string, ip: string | undefined, gateway: boolean): void => {
    if (ip === undefined) return;
    let canonical: string;
    try {
      canonical = canonicalIp(ip);
    } catch (error) {
      problems.push(`probe of ${name}: ${errorMessage(error)}`);
      return;
    }
    const source = own.find((prefix) => containsIp(prefix, canonical))?.ip;
    // Without a device that leads there is no way to ask.
    if (source === undefined || sources.includes(canonical) || targets.has(canonical)) return;
    targets.set(canonical, { name, ip: canonical, source, gateway });
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
  return { targets: [...targets.values()], sources, problems };
}

/** The address as targets have it; a text that is none stays as it is, and is no target's. */
export function targetAddress(ip: string): string {
  try {
    return canonicalIp(ip);
  } catch {
    return ip;
  }
}

/** Empty for one that is none: such a device can't be made, which is reported where it should be. */
function ownPrefix(addr: string): readonly Prefix[] {
  try {
    return [parsePrefix(addr)];
  } catch {
    return [];
  }
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkState } from './state.js';
import { familyOf } from './netlink/family.js';

/** One setting: its path below `/proc/sys`, and its value. */
export interface Sysctl {
  readonly key: string;
  readonly value: string;
  /** It belongs to a device of ours and goes away with it. */
  readonly own: boolean;
}

/** Reads and writes settings. */
export interface SysctlFiles {
  /** Undefined when there is no such setting. */
  read(key: string): string | undefined;
  write(key: string, value: string): void;
}

/** A source is right when any device leads to it (RFC 3704, 2.4): answers may come by another tunnel. */
const LOOSE_REVERSE_PATH = '2';
const ACCEPT_ROUTER_ADVERTISEMENTS = '1';
const ACCEPT_THOUGH_FORWARDING = '2';

/** Settings of the network namespace that this process is in; `root` is `/proc/sys`, or where it is mounted as well. */
export function systemSysctls(root: string): SysctlFiles {
  return {
    read: (key) => {
      try {
        return readFileSync(join(root, key), 'utf8').trim();
      } catch (error) {
        // A kernel without IPv6 has none of its settings; a device may have gone away.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    write: (key, value) => writeFileSync(join(root, key), value),
  };
}

/**
 * What the wanted network needs: packets are forwarded, sources are checked loosely on our devices, and removing an
 * address of ours doesn't take others with it.
 */
export function desiredSysctls({ devices, addresses }: NetworkState, read: SysctlFiles['read']): readonly Sysctl[] {
  const families = new Set([...addresses.values()].map(({ ip }) => familyOf(ip)));
  const wanted: Sysctl[] = [];
  if (families.has('ipv4')) wanted.push({ key: 'net/ipv4/ip_forward', value: '1', own: false });
  if (families.has('ipv6')) {
    // A host that forwards stops listening to routers, which may be where its default route comes from.
    for (const name of new Set([...devices.values()].map(({ underlay }) => underlay))) {
      const key = `net/ipv6/conf/${name}/accept_ra`;
      if (read(key) === ACCEPT_ROUTER_ADVERTISEMENTS) wanted.push({ key, value: ACCEPT_THOUGH_FORWARDING, own: false });
    }
    wanted.push({ key: 'net/ipv6/conf/all/forwarding', value: '1', own: false });
  }
  for (const name of devices.keys()) {
    wanted.push({ key: `net/ipv4/conf/${name}/rp_filter`, value: LOOSE_REVERSE_PATH, own: true });
    wanted.push({ key: `net/ipv4/conf/${name}/promote_secondaries`, value: '1', own: true });
  }
  return wanted;
}

/** Which settings differ, and what they are now. Those that don't exist (yet) are left out. */
export function diffSysctls(
  wanted: readonly Sysctl[],
  read: SysctlFiles['read'],
): readonly { readonly sysctl: Sysctl; readonly present: string }[] {
  return wanted.flatMap((sysctl) => {
    const present = read(sysctl.key);
    return present === undefined || present === sysctl.value ? [] : [{ sysctl, present }];
  });
}

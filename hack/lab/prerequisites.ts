import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { LabConfig } from './options.js';

const always = { ip: 'iproute2', nsenter: 'util-linux', flock: 'util-linux', openssl: 'openssl' };
const forContainers = {
  runc: 'runc',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  busybox: 'busybox-static',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
};

function isInstalled(command: string): boolean {
  if (command.startsWith('/')) return existsSync(command);
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => existsSync(join(folder, command)));
}

/** Debian packages that are missing for a lab. */
export function missingPackages(full: boolean, installed: (command: string) => boolean = isInstalled): string[] {
  const wanted = full ? { ...always, ...forContainers } : always;
  const missing = Object.entries(wanted).filter(([command]) => !installed(command));
  return [...new Set(missing.map(([, debianPackage]) => debianPackage))].sort();
}

/** @throws Error that says what to do when the lab can't run here. */
export function checkPrerequisites(config: LabConfig): void {
  if (process.platform !== 'linux') throw new Error('the lab needs Linux: it is made of namespaces');
  if (process.getuid?.() !== 0) throw new Error('the lab needs root: it makes network namespaces');
  const missing = missingPackages(config.full);
  if (missing.length > 0) throw new Error(`the lab needs more programs: apt-get install ${missing.join(' ')}`);
}

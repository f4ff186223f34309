import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { kubeletRoot } from './full/kubelet.js';
import type { LabConfig } from './options.js';
import { planClusters } from './plan.js';

const always = { ip: 'iproute2', nsenter: 'util-linux', flock: 'util-linux', openssl: 'openssl' };
const forContainers = {
  runc: 'runc',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  busybox: 'busybox-static',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
};

const SHORTER = 'move the repository to a shorter path, or give the lab a shorter name';

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

/** The longest path of a Unix socket that the kernel takes. */
const LONGEST_SOCKET_PATH = 107;

/** Tells how many characters the repository's path is too long for the sockets that kubelets make in their folders. */
export function excessOfSocketPath(config: LabConfig): number {
  const machines = planClusters(config, 0).flatMap((plan) => plan.machines);
  const sockets = machines.map((machine) => join(kubeletRoot(machine), 'device-plugins/kubelet.sock').length);
  return Math.max(0, ...sockets.map((length) => length - LONGEST_SOCKET_PATH));
}

/** @throws Error that says what to do when the lab can't run here. */
export function checkPrerequisites(config: LabConfig): void {
  if (process.platform !== 'linux') throw new Error('the lab needs Linux: it is made of namespaces');
  if (process.getuid?.() !== 0) throw new Error('the lab needs root: it makes network namespaces');
  const missing = missingPackages(config.full);
  if (missing.length > 0) throw new Error(`the lab needs more programs: apt-get install ${missing.join(' ')}`);
  const excess = config.full ? excessOfSocketPath(config) : 0;
  if (excess > 0)
    throw new Error(`sockets of kubelets would have paths that are ${excess} characters too long: ${SHORTER}`);
}

import { existsSync } from 'node:fs';
import { BLOCK_COUNT, isIpv6, prefixLength, type Addresses } from './addresses.js';
import { run } from './run.js';

const NETNS_FOLDER = '/run/netns';

/** The bridge of an address block; its name is what reserves the block on this machine. */
export function bridgeName(block: number): string {
  return `klab${block}`;
}

/** Name of a network namespace of the instance that owns the block. */
export function namespaceName(block: number, node: string): string {
  return `klab${block}-${node}`;
}

/** A MAC address (locally administered) that tells which instance made a bridge. */
export function bridgeMac(fingerprint: string): string {
  return ['02', ...(fingerprint.match(/../g) ?? [])].slice(0, 6).join(':');
}

async function ip(...args: string[]): Promise<string> {
  return (await run('ip', args)).stdout;
}

async function ipIn(namespace: string, ...args: string[]): Promise<void> {
  await run('ip', ['-netns', namespace, ...args]);
}

/** Numbers of the blocks that an instance holds; at most one, unless something went very wrong. */
export async function blocksOf(fingerprint: string): Promise<number[]> {
  const mac = bridgeMac(fingerprint);
  const links = JSON.parse((await ip('-json', 'link', 'show', 'type', 'bridge')) || '[]') as LinkInfo[];
  return links
    .filter((link) => link.address === mac && /^klab\d+$/.test(link.ifname ?? ''))
    .map((link) => Number(link.ifname?.slice('klab'.length)));
}

interface LinkInfo {
  readonly ifname?: string;
  readonly address?: string;
}

/**
 * Reserves an address block by making its bridge, which only one instance can do, and returns the block's number.
 * The search starts at a place that depends on the instance, so that an instance tends to keep its addresses.
 */
export async function reserveBlock(fingerprint: string): Promise<number> {
  const start = parseInt(fingerprint.slice(0, 2), 16);
  for (let step = 0; step < BLOCK_COUNT; step += 1) {
    const block = (start + step) % BLOCK_COUNT;
    const name = bridgeName(block);
    const args = ['link', 'add', name, 'address', bridgeMac(fingerprint), 'type', 'bridge'];
    const result = await run('ip', args, { allowFailure: true });
    if (result.code === 0) return block;
    if (!existsSync(`/sys/class/net/${name}`)) throw new Error(`bridge ${name} can't be made: ${result.stderr.trim()}`);
  }
  throw new Error(`all ${BLOCK_COUNT} address blocks are in use; "ip link show type bridge" lists their bridges`);
}

/** Gives the bridge its addresses, which are the root namespace's way into the lab. */
export async function configureBridge(block: number, addresses: Addresses): Promise<void> {
  const name = bridgeName(block);
  for (const address of addresses) {
    const flags = isIpv6(address) ? ['nodad'] : [];
    await ip('address', 'add', `${address}/${prefixLength(address)}`, 'dev', name, ...flags);
  }
  await ip('link', 'set', name, 'up');
}

/** Makes a namespace with one interface `eth0` on the bridge. */
export async function createNamespace(
  block: number,
  namespace: string,
  addresses: Addresses,
  gateways: Addresses,
): Promise<void> {
  await ip('netns', 'add', namespace);
  const peer = hostInterfaceName(block, addresses[0] ?? '');
  await ip('link', 'add', peer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  await ip('link', 'set', peer, 'master', bridgeName(block), 'up');
  await ipIn(namespace, 'link', 'set', 'lo', 'up');
  for (const address of addresses) {
    const flags = isIpv6(address) ? ['nodad'] : [];
    await ipIn(namespace, 'address', 'add', `${address}/${prefixLength(address)}`, 'dev', 'eth0', ...flags);
  }
  await ipIn(namespace, 'link', 'set', 'eth0', 'up');
  for (const gateway of gateways) await ipIn(namespace, 'route', 'add', 'default', 'via', gateway);
}

/** The last bytes of an address make the name of its interface in the root namespace. */
function hostInterfaceName(block: number, address: string): string {
  const tail = isIpv6(address) ? (address.split('::')[1] ?? '') : address.split('.').slice(2).join('x');
  return `klv${block}-${tail}`;
}

/** Adds a route inside a namespace. */
export async function addRoute(namespace: string, destination: string, via: string): Promise<void> {
  await ipIn(namespace, 'route', 'replace', destination, 'via', via);
}

/** Names of the namespaces that belong to a block. */
export async function namespacesOf(block: number): Promise<string[]> {
  const listed = JSON.parse((await ip('-json', 'netns', 'list')) || '[]') as { name: string }[];
  return listed.map((entry) => entry.name).filter((name) => name.startsWith(`klab${block}-`));
}

/** Processes that run inside a namespace. */
export async function processesIn(namespace: string): Promise<number[]> {
  return (await ip('netns', 'pids', namespace)).split('\n').filter(Boolean).map(Number);
}

/** Removes a namespace with the interfaces in it; their peers on the bridge go with them. */
export async function deleteNamespace(namespace: string): Promise<void> {
  if (existsSync(`${NETNS_FOLDER}/${namespace}`)) await ip('netns', 'delete', namespace);
}

/** Removes what is left of a block on the machine, the bridge last because it is the reservation. */
export async function deleteBlock(block: number): Promise<void> {
  const links = JSON.parse((await ip('-json', 'link', 'show', 'type', 'veth')) || '[]') as LinkInfo[];
  for (const link of links) {
    if (link.ifname?.startsWith(`klv${block}-`) === true)
      await run('ip', ['link', 'delete', link.ifname], { allowFailure: true });
  }
  await ip('link', 'delete', bridgeName(block));
}

/** Command line that runs a command in a namespace; nothing but the network changes (`ip netns exec` hides cgroups). */
export function inNamespace(namespace: string, command: string, args: readonly string[]): [string, string[]] {
  return ['nsenter', [`--net=${NETNS_FOLDER}/${namespace}`, '--', command, ...args]];
}

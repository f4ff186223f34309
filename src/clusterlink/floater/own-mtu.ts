import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

const ETHERNET = 1500;

/** The largest MTU of the devices with addresses, in bytes; the path says by itself where one of them carries less. */
export function ownMtu(read: (path: string) => string = (path) => readFileSync(path, 'utf8')): number {
  const devices = Object.entries(networkInterfaces())
    .filter(([, addresses = []]) => addresses.some(({ internal }) => !internal))
    .map(([device]) => device);
  const sizes = devices.flatMap((device) => mtuOf(device, read));
  return sizes.length === 0 ? ETHERNET : Math.max(...sizes);
}

function mtuOf(device: string, read: (path: string) => string): readonly number[] {
  try {
    const bytes = Number(read(`/sys/class/net/${device}/mtu`));
    return Number.isInteger(bytes) && bytes > 0 ? [bytes] : [];
  } catch {
    // It has gone in the meantime, as devices of pods do on a node.
    return [];
  }
}

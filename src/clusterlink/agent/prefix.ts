import { bytesToIp, ipToBytes } from './netlink/ip-bytes.js';
import { KernelError } from './netlink/kernel-error.js';

/** An address with the length of its prefix. */
export interface Prefix {
  readonly ip: string;
  readonly prefixLength: number;
}

/** Address and length of a text such as `10.10.0.0/16`. Throws KernelError. */
export function parsePrefix(text: string): Prefix {
  const [address = '', length = '', ...rest] = text.split('/');
  const bytes = ipToBytes(address);
  const prefixLength = Number(length);
  if (rest.length > 0 || !/^\d{1,3}$/.test(length) || prefixLength > bytes.length * 8) {
    throw new KernelError(`"${text}" is no address with the length of its prefix`);
  }
  return { ip: bytesToIp(bytes), prefixLength };
}

/** The address without its host bits. */
export function networkOf(ip: string, prefixLength: number): string {
  return bytesToIp(ipToBytes(ip).map((byte, index) => byte & ~hostBits(index, prefixLength)));
}

/** The mask of the host bits, as an address of the same family as `ip`. */
export function hostMask(ip: string, prefixLength: number): string {
  return bytesToIp(ipToBytes(ip).map((_byte, index) => hostBits(index, prefixLength)));
}

/** Whether the prefix has the address; false when they are of different families. */
export function containsIp({ ip, prefixLength }: Prefix, address: string): boolean {
  const network = ipToBytes(ip);
  const bytes = ipToBytes(address);
  if (network.length !== bytes.length) return false;
  return bytes.every((byte, index) => ((byte ^ (network[index] ?? 0)) & ~hostBits(index, prefixLength) & 0xff) === 0);
}

/** Host bits of the byte at an index. */
function hostBits(index: number, prefixLength: number): number {
  return 0xff >> Math.min(8, Math.max(0, prefixLength - index * 8));
}

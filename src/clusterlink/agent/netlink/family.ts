import { AF } from './constants.js';

/** The two families of addresses. */
export type Family = 'ipv4' | 'ipv6';

export const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** Of an address or prefix in text. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** The kernel's number of a family. */
export function familyNumber(family: Family): number {
  return family === 'ipv4' ? AF.INET : AF.INET6;
}

/** The family of the kernel's number; undefined for all others. */
export function familyByNumber(number: number): Family | undefined {
  if (number === AF.INET) return 'ipv4';
  return number === AF.INET6 ? 'ipv6' : undefined;
}

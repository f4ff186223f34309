import ipaddr from 'ipaddr.js';
import { KernelError } from './kernel-error.js';

const IPV4_BYTES = 4;

/** The bytes of an IP address in network order: 4 or 16. Throws KernelError when the text is none. */
export function ipToBytes(text: string): Uint8Array {
  return parseIpv4(text) ?? parseAny(text);
}

/** The address in its canonical text: dotted, or as RFC 5952 says. */
export function bytesToIp(bytes: Uint8Array): string {
  if (bytes.length === IPV4_BYTES) return bytes.join('.');
  if (bytes.length !== 16)
    throw new KernelError("the kernel's answer can't be read: an IP address has the wrong length");
  return ipaddr.fromByteArray([...bytes]).toString();
}

/** The canonical text of an address. Throws KernelError when the text is none. */
export function canonicalIp(text: string): string {
  return bytesToIp(ipToBytes(text));
}

/** Bytes of an Ethernet address such as `02:01:01:00:00:b0`. Throws KernelError when the text is none. */
export function macToBytes(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new KernelError(`"${text}" is no Ethernet address`);
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

/** An Ethernet address in lower-case letters. */
export function bytesToMac(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += `${text === '' ? '' : ':'}${byte < 16 ? '0' : ''}${byte.toString(16)}`;
  return text;
}

/** Most addresses are of this kind, and there may be thousands: without a regular expression. */
function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== IPV4_BYTES) return undefined;
  const bytes = new Uint8Array(IPV4_BYTES);
  for (const [index, part] of parts.entries()) {
    const value = Number(part);
    if (part === '' || part.length > 3 || !Number.isInteger(value) || value > 255 || value < 0) return undefined;
    bytes[index] = value;
  }
  return bytes;
}

function parseAny(text: string): Uint8Array {
  if (!ipaddr.IPv6.isValid(text)) throw new KernelError(`"${text}" is no IP address`);
  return Uint8Array.from(ipaddr.IPv6.parse(text).toByteArray());
}

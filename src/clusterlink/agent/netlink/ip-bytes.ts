import ipaddr from 'ipaddr.js';
import { KernelError } from './kernel-error.js';

const IPV4_BYTES = 4;
const MAC_BYTES = 6;
const MAC_TEXT_LENGTH = 17;
const [DOT, COLON, ZERO, NINE, LETTER_A, LETTER_F] = [0x2e, 0x3a, 0x30, 0x39, 0x61, 0x66];

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
  const bytes = new Uint8Array(MAC_BYTES);
  let isMac = text.length === MAC_TEXT_LENGTH;
  for (let index = 0; index < MAC_BYTES && isMac; index++) {
    const at = index * 3;
    const high = hexDigit(text.charCodeAt(at));
    const low = hexDigit(text.charCodeAt(at + 1));
    isMac = high >= 0 && low >= 0 && (index === MAC_BYTES - 1 || text.charCodeAt(at + 2) === COLON);
    bytes[index] = high * 16 + low;
  }
  if (!isMac) throw new KernelError(`"${text}" is no Ethernet address`);
  return bytes;
}

/** Its value; negative when the character is none. */
function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const lower = code | 0x20;
  return lower >= LETTER_A && lower <= LETTER_F ? lower - LETTER_A + 10 : -1;
}

/** An Ethernet address in lower-case letters. */
export function bytesToMac(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += `${text === '' ? '' : ':'}${byte < 16 ? '0' : ''}${byte.toString(16)}`;
  return text;
}

/** Most addresses are of this kind, and there may be thousands: character by character. */
function parseIpv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(IPV4_BYTES);
  let part = 0;
  let value = 0;
  let digits = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0 || digits > 3 || value > 255 || part >= IPV4_BYTES) return undefined;
      bytes[part++] = value;
      value = 0;
      digits = 0;
    } else {
      if (code < ZERO || code > NINE) return undefined;
      value = value * 10 + code - ZERO;
      digits++;
    }
  }
  return part === IPV4_BYTES ? bytes : undefined;
}

function parseAny(text: string): Uint8Array {
  if (!ipaddr.IPv6.isValid(text)) throw new KernelError(`"${text}" is no IP address`);
  return Uint8Array.from(ipaddr.IPv6.parse(text).toByteArray());
}

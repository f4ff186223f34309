import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type Forge from 'node-forge';

const require = createRequire(import.meta.url);
// Alone: the whole of node-forge has ciphers and a TLS of its own.
const asn1 = require('node-forge/lib/asn1.js') as typeof Forge.asn1;
const util = require('node-forge/lib/util.js') as typeof Forge.util;
const { Class, Type } = asn1;

/** A piece of ASN.1. */
export type Der = Forge.asn1.Asn1;

/** Object identifiers that are used here. */
export const OIDS = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectAltName: '2.5.29.17',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  basicConstraints: '2.5.29.19',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  extensionRequest: '1.2.840.113549.1.9.14',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

export function sequence(...parts: readonly Der[]): Der {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...parts]);
}

export function set(...parts: readonly Der[]): Der {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, [...parts]);
}

export function oid(id: string): Der {
  return asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(id).getBytes());
}

/** A small number. */
export function integer(value: number): Der {
  return asn1.create(Class.UNIVERSAL, Type.INTEGER, false, asn1.integerToDer(value).getBytes());
}

/** A positive number of any length, given by its bytes. */
export function bigInteger(bytes: Buffer): Der {
  const [first = 0] = bytes;
  const positive = first >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return asn1.create(Class.UNIVERSAL, Type.INTEGER, false, positive.toString('latin1'));
}

export function boolean(value: boolean): Der {
  return asn1.create(Class.UNIVERSAL, Type.BOOLEAN, false, value ? '\xff' : '\0');
}

export function octetString(content: Buffer): Der {
  return asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, content.toString('latin1'));
}

/** Whole bytes as a bit string. */
export function bitString(content: Buffer, unusedBits = 0): Der {
  const bytes = Buffer.concat([Buffer.of(unusedBits), content]);
  return asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, bytes.toString('latin1'));
}

/** `GeneralizedTime` from 2050 on and `UTCTime` before, as RFC 5280 has it. */
export function time(date: Date): Der {
  const isLate = date.getUTCFullYear() >= 2050;
  const text = isLate ? asn1.dateToGeneralizedTime(date) : asn1.dateToUtcTime(date);
  return asn1.create(Class.UNIVERSAL, isLate ? Type.GENERALIZEDTIME : Type.UTCTIME, false, text);
}

/** Something with a context-specific tag around it. */
export function tagged(tag: number, ...parts: readonly Der[]): Der {
  return contextSpecific(tag, [...parts]);
}

/** A distinguished name: organizations first, then the common name, as kubelets write it. */
export function distinguishedName(subject: { readonly commonName: string; readonly organization?: string }): Der {
  const { commonName, organization } = subject;
  const part = (id: string, value: string): Der =>
    set(sequence(oid(id), asn1.create(Class.UNIVERSAL, Type.UTF8, false, Buffer.from(value).toString('latin1'))));
  const organizations = organization === undefined ? [] : [part(OIDS.organization, organization)];
  return sequence(...organizations, part(OIDS.commonName, commonName));
}

/** The value of a subjectAltName extension that holds IP addresses. */
export function addressNames(addresses: readonly string[]): Der {
  return sequence(...addresses.map((address) => contextSpecific(IP_ADDRESS, addressBytes(address).toString('latin1'))));
}

/** The tag of an address among GeneralNames (RFC 5280, section 4.2.1.6). */
const IP_ADDRESS = 7;

function contextSpecific(tag: number, content: string | Der[]): Der {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- its types know universal tags only
  return asn1.create(Class.CONTEXT_SPECIFIC, tag, typeof content !== 'string', content);
}

/** The 4 or 16 bytes of an IP address. */
export function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // Node writes any IPv6 address in its canonical form, with `::` for the longest run of zeros and IPv4 parts in hex.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [left = '', right] = canonical.split('::');
  const words = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [words(left), words(right ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return Buffer.from([...before, ...zeros, ...after].map((word) => word.padStart(4, '0')).join(''), 'hex');
}

export function encode(der: Der): Buffer {
  return Buffer.from(asn1.toDer(der).getBytes(), 'latin1');
}

/** Reads DER. */
export function decode(bytes: Buffer): Der {
  return asn1.fromDer(util.createBuffer(bytes.toString('latin1')));
}

/** DER in the form of PEM. */
export function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

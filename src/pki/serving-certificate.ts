import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';
import {
  addressNames,
  bigInteger,
  bitString,
  boolean,
  decode,
  type Der,
  distinguishedName,
  encode,
  integer,
  octetString,
  oid,
  OIDS,
  pem,
  sequence,
  set,
  tagged,
  time,
} from './der.js';

/** Whom a serving certificate is for. */
export interface ServingSubject {
  readonly commonName: string;
  readonly organization: string;
  /** IP addresses at which it is served. */
  readonly addresses: readonly string[];
}

/** A new private key (EC, P-256) as PEM (PKCS #8). */
export function createKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A certificate signing request (PKCS #10, RFC 2986) as PEM. */
export function createCertificateRequest(subject: ServingSubject, key: string): string {
  const extensions = sequence(extension(OIDS.subjectAltName, addressNames(subject.addresses)));
  const info = sequence(
    integer(0),
    distinguishedName(subject),
    decode(publicKeyOf(key)),
    tagged(0, sequence(oid(OIDS.extensionRequest), set(extensions))),
  );
  return pem('CERTIFICATE REQUEST', encode(signed(info, key)));
}

/** A certificate that is signed with its own key, as PEM; valid from an hour ago, since clocks differ. */
export function createSelfSigned(
  subject: ServingSubject,
  key: string,
  validity: { readonly nowMs: number; readonly durationMs: number },
): string {
  const { nowMs, durationMs } = validity;
  const name = distinguishedName(subject);
  const extensions = sequence(
    extension(OIDS.basicConstraints, sequence(), true),
    extension(OIDS.keyUsage, bitString(Buffer.of(0x80), 7), true),
    extension(OIDS.extendedKeyUsage, sequence(oid(OIDS.serverAuth))),
    extension(OIDS.subjectAltName, addressNames(subject.addresses)),
  );
  const certificate = sequence(
    tagged(0, integer(2)),
    bigInteger(randomBytes(16)),
    sequence(oid(OIDS.ecdsaWithSha256)),
    name,
    sequence(time(new Date(nowMs - CLOCK_SKEW_MS)), time(new Date(nowMs + durationMs))),
    name,
    decode(publicKeyOf(key)),
    tagged(3, extensions),
  );
  return pem('CERTIFICATE', encode(signed(certificate, key)));
}

/** What matters of a serving certificate. */
export interface ServingCertificate {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly selfSigned: boolean;
}

const CLOCK_SKEW_MS = 3_600_000;

/**
 * Reads a certificate (the first of a chain). Undefined when it is none, does not belong to the key, or isn't for one of
 * the addresses.
 */
export function readServingCertificate(
  certificate: string,
  key: string,
  addresses: readonly string[],
): ServingCertificate | undefined {
  try {
    const parsed = new X509Certificate(certificate);
    const isOurs = parsed.checkPrivateKey(createPrivateKey(key));
    if (!isOurs || !addresses.every((address) => isIP(address) !== 0 && parsed.checkIP(address))) return undefined;
    return {
      notBeforeMs: Date.parse(parsed.validFrom),
      notAfterMs: Date.parse(parsed.validTo),
      selfSigned: parsed.issuer === parsed.subject && parsed.verify(parsed.publicKey),
    };
  } catch {
    // Not PEM, not a certificate or not a key: of no use, whatever it is. The parser's words could quote the key.
    return undefined;
  }
}

/** The public key of a private key, as DER (SubjectPublicKeyInfo). @throws when it is no key */
export function publicKeyOf(key: string): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function signed(content: Der, key: string): Der {
  const signature = sign('sha256', encode(content), key);
  return sequence(content, sequence(oid(OIDS.ecdsaWithSha256)), bitString(signature));
}

function extension(id: string, value: Der, critical = false): Der {
  const flags = critical ? [boolean(true)] : [];
  return sequence(oid(id), ...flags, octetString(encode(value)));
}

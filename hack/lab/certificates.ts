import { generateKeyPairSync } from 'node:crypto';
import { isIP } from 'node:net';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.js';

/** Files of a certificate and its private key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate says. */
export interface CertificateRequest {
  /** The user in a client certificate. */
  readonly commonName: string;
  /** The groups in a client certificate. */
  readonly organizations?: readonly string[];
  /** DNS names and addresses of a serving certificate. */
  readonly hosts?: readonly string[];
  /** @default one day ago, so that clocks may differ */
  readonly notBefore?: Date;
  /** @default ten years from now */
  readonly notAfter?: Date;
}

const DAY_MS = 24 * 3_600_000;

/** A date as certificates have it: `20260102030405Z`. */
export function asn1Time(date: Date): string {
  return `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

/** The text of an OpenSSL configuration for one certificate. */
export function opensslConfig(directory: string, request: CertificateRequest, authority: boolean): string {
  const names = (request.hosts ?? []).map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`);
  const extensions = authority
    ? ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash']
    : [
        'basicConstraints=critical,CA:FALSE',
        'keyUsage=critical,digitalSignature',
        'extendedKeyUsage=clientAuth,serverAuth',
      ];
  if (names.length > 0) extensions.push(`subjectAltName=${names.join(',')}`);
  const subject = [
    ...(request.organizations ?? []).map((organization, index) => `${index}.O=${organization}`),
    `CN=${request.commonName}`,
  ];
  return [
    '[req]',
    'prompt=no',
    'distinguished_name=subject',
    '[subject]',
    ...subject,
    '[extensions]',
    ...extensions,
    '[ca]',
    'default_ca=lab',
    '[lab]',
    `new_certs_dir=${directory}`,
    `database=${join(directory, 'index')}`,
    'rand_serial=yes',
    'default_md=sha256',
    'policy=anything',
    'unique_subject=no',
    '[anything]',
    'organizationName=optional',
    'commonName=supplied',
    '',
  ].join('\n');
}

function writeKey(file: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
}

/** A certificate authority whose files are in one folder. */
export class CertificateAuthority {
  readonly certificate: string;
  readonly #key: string;

  private constructor(files: CertificateFiles) {
    this.certificate = files.certificate;
    this.#key = files.key;
  }

  /** The authority whose files are already in `directory`. */
  static open(directory: string, name: string): CertificateAuthority {
    return new CertificateAuthority({
      certificate: join(directory, `${name}.crt`),
      key: join(directory, `${name}.key`),
    });
  }

  /** The key, for programs that sign by themselves. */
  get key(): string {
    return this.#key;
  }

  /** Makes a new authority. */
  static async create(directory: string, name: string): Promise<CertificateAuthority> {
    await mkdir(directory, { recursive: true });
    const authority = CertificateAuthority.open(directory, name);
    await writeKey(authority.#key);
    const config = join(directory, `${name}.cnf`);
    await writeFile(config, opensslConfig(directory, { commonName: `kosmos-lab-${name}` }, true));
    const subject = ['-config', config, '-extensions', 'extensions', '-days', '3650'];
    await run('openssl', ['req', '-x509', '-new', '-key', authority.#key, ...subject, '-out', authority.certificate]);
    return authority;
  }

  /** Issues a certificate as `directory/name.crt` and `directory/name.key`. */
  async issue(directory: string, name: string, request: CertificateRequest): Promise<CertificateFiles> {
    const work = join(directory, `${name}.openssl`);
    await mkdir(work, { recursive: true });
    const files = { certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
    const [config, signingRequest] = [join(work, 'openssl.cnf'), join(work, 'request.csr')];
    await Promise.all([
      writeKey(files.key),
      writeFile(config, opensslConfig(work, request, false)),
      writeFile(join(work, 'index'), ''),
    ]);
    await run('openssl', ['req', '-new', '-key', files.key, '-config', config, '-out', signingRequest]);
    const notBefore = asn1Time(request.notBefore ?? new Date(Date.now() - DAY_MS));
    const notAfter = asn1Time(request.notAfter ?? new Date(Date.now() + 3650 * DAY_MS));
    const validity = ['-startdate', notBefore, '-enddate', notAfter];
    const issuer = ['-cert', this.certificate, '-keyfile', this.#key, '-config', config, '-extensions', 'extensions'];
    const flags = ['-batch', '-notext', '-preserveDN', ...validity, ...issuer];
    await run('openssl', ['ca', ...flags, '-in', signingRequest, '-out', files.certificate]);
    return files;
  }
}

/** Makes the key pair that signs service account tokens. */
export async function createSigningKey(
  directory: string,
): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const files = { privateKey: join(directory, 'sa.key'), publicKey: join(directory, 'sa.pub') };
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(files.privateKey, pair.privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  await writeFile(files.publicKey, pair.publicKey.export({ type: 'spki', format: 'pem' }));
  return files;
}

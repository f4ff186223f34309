import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate with its key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** A throw-away certificate authority. */
export interface TestAuthority {
  readonly certificate: string;
  /** A certificate for `localhost` and the loopback addresses, or for the given names. */
  issue(commonName: string, options?: { readonly names?: string; readonly organization?: string }): KeyPair;
  /** A certificate whose time was over yesterday. */
  issueExpired(commonName: string): KeyPair;
}

/** Makes an authority with openssl; nothing stays on disk. */
export function createAuthority(): TestAuthority {
  const authority = inDirectory((directory) => {
    openssl(directory, ['req', '-x509', '-subj', '/CN=test authority', '-days', '2', ...newKey('ca')]);
    return readPair(directory, 'ca');
  });
  return {
    certificate: authority.certificate,
    issue: (commonName, { names = 'DNS:localhost,IP:127.0.0.1,IP:::1', organization } = {}) =>
      inDirectory((directory) => {
        writeFileSync(join(directory, 'ca.crt'), authority.certificate);
        writeFileSync(join(directory, 'ca.key'), authority.key);
        const subject = organization === undefined ? `/CN=${commonName}` : `/O=${organization}/CN=${commonName}`;
        const extensions = ['-addext', `subjectAltName=${names}`, '-CA', 'ca.crt', '-CAkey', 'ca.key'];
        openssl(directory, ['req', '-x509', '-subj', subject, '-days', '1', ...extensions, ...newKey('leaf')]);
        return readPair(directory, 'leaf');
      }),
    issueExpired: (commonName) =>
      inDirectory((directory) => {
        writeFileSync(join(directory, 'ca.crt'), authority.certificate);
        writeFileSync(join(directory, 'ca.key'), authority.key);
        openssl(directory, ['req', '-new', '-subj', `/CN=${commonName}`, ...newKey('leaf')]);
        const issuer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
        const request = ['-in', 'leaf.crt', '-out', 'signed.crt'];
        openssl(directory, ['x509', '-req', ...request, ...issuer, '-days', '-1']);
        const { key } = readPair(directory, 'leaf');
        return { certificate: readFileSync(join(directory, 'signed.crt'), 'utf8'), key };
      }),
  };
}

function newKey(name: string): string[] {
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  return [...algorithm, '-keyout', `${name}.key`, '-out', `${name}.crt`];
}

function openssl(cwd: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}

function readPair(directory: string, name: string): KeyPair {
  const read = (end: string): string => readFileSync(join(directory, `${name}.${end}`), 'utf8');
  return { certificate: read('crt'), key: read('key') };
}

function inDirectory<R>(work: (directory: string) => R): R {
  const directory = mkdtempSync(join(tmpdir(), 'kosmos-test-'));
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

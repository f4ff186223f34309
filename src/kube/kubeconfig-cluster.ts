import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ClusterAccess } from './cluster-access.js';
import type { FieldReader } from './field-reader.js';
import type { KubeconfigContext } from './kubeconfig-options.js';
import { Secret } from './secret.js';

/** The cluster part of an access, and what goes into the fingerprint. */
export interface ReadCluster {
  readonly access: Omit<ClusterAccess, 'credential' | 'fingerprint'>;
  readonly configured: unknown;
  /** For credential plugins that want to know what they are for (`provideClusterInfo`). */
  readonly execInfo: Readonly<Record<string, unknown>>;
}

const EXEC_EXTENSION = 'client.authentication.k8s.io/exec';
const PROXY_PROTOCOLS = ['http:', 'https:', 'socks5:'];

/** Reads `clusters[].cluster`. */
export function readCluster(fields: FieldReader, context: KubeconfigContext): ReadCluster | undefined {
  const server = readServer(fields);
  const insecureSkipTlsVerify = fields.boolean('insecure-skip-tls-verify');
  const certificateAuthority = readCertificateAuthority(fields, context);
  if (insecureSkipTlsVerify && certificateAuthority !== undefined) {
    fields.problem('insecure-skip-tls-verify', 'may not be set together with a certificate authority');
  }
  const tlsServerName = fields.string('tls-server-name');
  const proxyUrl = readProxyUrl(fields);
  if (server === undefined) return undefined;
  return {
    access: { server, certificateAuthority, tlsServerName, insecureSkipTlsVerify, proxyUrl },
    configured: { server, certificateAuthority, tlsServerName, insecureSkipTlsVerify, proxy: proxyUrl?.reveal() },
    execInfo: {
      server,
      'tls-server-name': tlsServerName,
      'insecure-skip-tls-verify': insecureSkipTlsVerify || undefined,
      'certificate-authority-data':
        certificateAuthority === undefined ? undefined : Buffer.from(certificateAuthority).toString('base64'),
      'proxy-url': proxyUrl?.reveal(),
      config: fields
        .objects('extensions')
        .find((extension) => extension.string('name') === EXEC_EXTENSION)
        ?.raw()['extension'],
    },
  };
}

/** Base64 to text; undefined, with a problem noted, when it isn't base64. */
export function readBase64(fields: FieldReader, name: string): string | undefined {
  const encoded = fields.string(name)?.replace(/\s+/g, '');
  if (encoded === undefined) return undefined;
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return Buffer.from(encoded, 'base64').toString('utf8');
  fields.problem(name, 'is not base64');
  return undefined;
}

/** The absolute path of a file that the kubeconfig names; undefined, with a problem noted, when it may not name any. */
export function readPath(fields: FieldReader, name: string, context: KubeconfigContext): string | undefined {
  const path = fields.string(name);
  if (path === undefined) return undefined;
  if (context.allowFiles) return resolve(context.baseDirectory, path);
  fields.problem(name, 'names a file, which is not allowed here; put the data itself into the kubeconfig');
  return undefined;
}

/** The text of a file that the kubeconfig names. */
export function readNamedFile(fields: FieldReader, name: string, context: KubeconfigContext): string | undefined {
  const path = readPath(fields, name, context);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    fields.problem(name, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
    return undefined;
  }
}

function readServer(fields: FieldReader): string | undefined {
  const text = fields.required('server');
  if (text === undefined) return undefined;
  if (!URL.canParse(text)) {
    fields.problem('server', 'is not a URL');
    return undefined;
  }
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    fields.problem('server', 'must begin with https:// or http://');
    return undefined;
  }
  if (url.username !== '' || url.password !== '') {
    fields.problem('server', 'may not contain a user or password');
    return undefined;
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function readCertificateAuthority(fields: FieldReader, context: KubeconfigContext): string | undefined {
  const name = fields.has('certificate-authority-data') ? 'certificate-authority-data' : 'certificate-authority';
  const pem = name.endsWith('-data') ? readBase64(fields, name) : readNamedFile(fields, name, context);
  if (pem === undefined) return undefined;
  try {
    new X509Certificate(pem);
    return pem;
  } catch {
    fields.problem(name, 'holds no PEM certificate');
    return undefined;
  }
}

function readProxyUrl(fields: FieldReader): Secret | undefined {
  const text = fields.string('proxy-url');
  if (text === undefined) return undefined;
  if (URL.canParse(text) && PROXY_PROTOCOLS.includes(new URL(text).protocol)) return new Secret(text);
  fields.problem('proxy-url', 'must be an http://, https:// or socks5:// URL');
  return undefined;
}

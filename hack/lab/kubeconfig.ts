import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import type { CertificateFiles } from './certificates.js';

/** How a user of a kubeconfig shows who it is. */
export type UserCredential = { readonly token: string } | CertificateFiles;

/** What a kubeconfig says. */
export interface KubeconfigRequest {
  readonly file: string;
  readonly cluster: string;
  readonly server: string;
  /** File of the authority that signed the server's certificate. */
  readonly authority: string;
  readonly user: string;
  readonly credential: UserCredential;
}

async function base64Of(file: string): Promise<string> {
  return (await readFile(file)).toString('base64');
}

/** Writes a kubeconfig that contains all it needs, so that it may be moved or put into a Secret. */
export async function writeKubeconfig(request: KubeconfigRequest): Promise<void> {
  const { credential } = request;
  const user =
    'token' in credential
      ? { token: credential.token }
      : {
          'client-certificate-data': await base64Of(credential.certificate),
          'client-key-data': await base64Of(credential.key),
        };
  const authority = await base64Of(request.authority);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: request.cluster, cluster: { server: request.server, 'certificate-authority-data': authority } }],
    users: [{ name: request.user, user }],
    contexts: [{ name: request.cluster, context: { cluster: request.cluster, user: request.user } }],
    'current-context': request.cluster,
  };
  await writeFile(request.file, stringify(config), { mode: 0o600 });
}

/** How to reach an API server, and what to show there. */
export interface Access {
  readonly server: string;
  readonly token: string | undefined;
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** Reads a kubeconfig of one cluster and one user, as the lab writes them. */
export function readAccess(path: string): Access {
  const config = parse(readFileSync(path, 'utf8')) as {
    readonly clusters: { readonly cluster: Record<string, string> }[];
    readonly users: { readonly user: Record<string, string> }[];
  };
  const [cluster, user] = [config.clusters[0]?.cluster ?? {}, config.users[0]?.user ?? {}];
  const decode = (text: string | undefined): Buffer | undefined =>
    text === undefined ? undefined : Buffer.from(text, 'base64');
  return {
    server: cluster['server'] ?? '',
    token: user['token'],
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
}

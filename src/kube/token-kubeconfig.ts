import { parseDocument, stringify } from 'yaml';
import type { ClusterAccess } from './cluster-access.js';
import type { Secret } from './secret.js';

/** How to reach an API server, without who asks. */
export type ServerAccess = Omit<ClusterAccess, 'credential' | 'fingerprint' | 'impersonation'>;

/** A kubeconfig of one server and one user who shows a token. It is a secret. */
export function renderTokenKubeconfig(name: string, server: ServerAccess, token: Secret): string {
  const { certificateAuthority, tlsServerName, insecureSkipTlsVerify, proxyUrl } = server;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      {
        name,
        cluster: {
          server: server.server,
          ...(certificateAuthority !== undefined && {
            'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64'),
          }),
          ...(tlsServerName !== undefined && { 'tls-server-name': tlsServerName }),
          ...(insecureSkipTlsVerify && { 'insecure-skip-tls-verify': true }),
          ...(proxyUrl !== undefined && { 'proxy-url': proxyUrl.reveal() }),
        },
      },
    ],
    users: [{ name, user: { token: token.reveal() } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}

/** The token of a kubeconfig as {@link renderTokenKubeconfig} makes it; undefined when it has no such form. */
export function tokenOf(kubeconfig: string): string | undefined {
  const token: unknown = parseDocument(kubeconfig).getIn(TOKEN_PATH);
  return typeof token === 'string' ? token : undefined;
}

/** The same kubeconfig with another token. */
export function withToken(kubeconfig: string, token: Secret): string {
  const document = parseDocument(kubeconfig);
  document.setIn(TOKEN_PATH, token.reveal());
  return document.toString();
}

const TOKEN_PATH = ['users', 0, 'user', 'token'];

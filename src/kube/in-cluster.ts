import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '../lib/clock.js';
import { type ClusterAccess, fingerprintOf } from './cluster-access.js';
import { PlainCredential } from './credential.js';
import { KubeconfigError } from './kubeconfig.js';

/** Where the kubelet puts the service account's files. */
const DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface InClusterOptions {
  /** With `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock | undefined;
  /** Where the service account's files are; for tests. */
  readonly directory?: string | undefined;
}

/**
 * Access to the cluster that this process runs in, as its pod's service account. The token is read again every minute,
 * since the kubelet replaces it. Throws KubeconfigError outside of a pod.
 */
export function inClusterAccess(options: InClusterOptions): ClusterAccess {
  const { environment, clock = systemClock, directory = DIRECTORY } = options;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  const problems: string[] = [];
  if (!host) problems.push('KUBERNETES_SERVICE_HOST: is missing');
  if (!port) problems.push('KUBERNETES_SERVICE_PORT: is missing');
  const tokenFile = join(directory, 'token');
  const certificateAuthority = tryRead(join(directory, 'ca.crt'), problems);
  tryRead(tokenFile, problems);
  if (problems.length > 0) throw new KubeconfigError(problems);
  const server = `https://${host?.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    server,
    certificateAuthority,
    insecureSkipTlsVerify: false,
    credential: new PlainCredential({ token: { file: tokenFile } }, clock),
    fingerprint: fingerprintOf([server, certificateAuthority, tokenFile]),
  };
}

function tryRead(path: string, problems: string[]): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    problems.push(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
    return '';
  }
}

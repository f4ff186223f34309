import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabApi } from './api.js';
import { CertificateAuthority } from './certificates.js';
import { clusterFiles } from './control-plane.js';
import { writeKubeconfig, type UserCredential } from './kubeconfig.js';

/** Another user of a cluster. */
export interface UserRequest {
  /** User name; with `token` the name of a service account in kube-system. */
  readonly name: string;
  /** @default 'certificate' */
  readonly credential?: 'certificate' | 'token';
  /** Groups in the certificate, e.g. `system:masters`. */
  readonly groups?: readonly string[];
  /** ClusterRole to bind the user to, e.g. `cluster-admin`. */
  readonly clusterRole?: string;
  /** End of the certificate's validity; may be in the past. */
  readonly notAfter?: Date;
  /** Address to connect to instead of the API server's own, e.g. of a proxy: `https://127.0.0.1:7443`. */
  readonly server?: string;
}

/** The parts of a cluster that are needed to make a user. */
export interface UserCluster {
  readonly name: string;
  readonly directory: string;
  readonly server: string;
  readonly api: LabApi;
}

const ACCOUNTS = '/api/v1/namespaces/kube-system/serviceaccounts';
const DAY_MS = 24 * 3_600_000;

async function tokenFor(cluster: UserCluster, name: string): Promise<UserCredential> {
  await cluster.api.json('POST', ACCOUNTS, { body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } } });
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 86_400 } };
  const answer = (await cluster.api.json('POST', `${ACCOUNTS}/${name}/token`, { body })) as {
    status: { token: string };
  };
  return { token: answer.status.token };
}

async function certificateFor(cluster: UserCluster, folder: string, request: UserRequest): Promise<UserCredential> {
  const authority = CertificateAuthority.open(clusterFiles(cluster.directory).pki, 'ca');
  const validity =
    request.notAfter === undefined
      ? {}
      : { notAfter: request.notAfter, notBefore: new Date(Math.min(Date.now(), request.notAfter.getTime()) - DAY_MS) };
  const subject = { commonName: request.name, organizations: request.groups ?? [] };
  return authority.issue(folder, request.name, { ...subject, ...validity });
}

async function bind(cluster: UserCluster, request: UserRequest): Promise<void> {
  if (request.clusterRole === undefined) return;
  const subject =
    request.credential === 'token'
      ? { kind: 'ServiceAccount', name: request.name, namespace: 'kube-system' }
      : { kind: 'User', name: request.name, apiGroup: 'rbac.authorization.k8s.io' };
  const body = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `lab-user-${request.name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: request.clusterRole },
    subjects: [subject],
  };
  await cluster.api.json('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { body });
}

/** Makes a user of a cluster and returns the path of its kubeconfig, which needs no other file. */
export async function createUser(cluster: UserCluster, request: UserRequest): Promise<string> {
  const folder = join(cluster.directory, 'users');
  await mkdir(folder, { recursive: true });
  const token = request.credential === 'token';
  const credential = token ? await tokenFor(cluster, request.name) : await certificateFor(cluster, folder, request);
  await bind(cluster, request);
  const file = join(folder, `${request.name}.kubeconfig`);
  await writeKubeconfig({
    file,
    cluster: cluster.name,
    server: request.server ?? cluster.server,
    authority: join(clusterFiles(cluster.directory).pki, 'ca.crt'),
    user: request.name,
    credential,
  });
  return file;
}

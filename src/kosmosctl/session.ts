import { dirname, join } from 'node:path';
import type { KubeClient } from '../kube/client.js';
import type { ClusterAccess } from '../kube/cluster-access.js';
import { createKubeClient } from '../kube/http-client.js';
import { KubeconfigError, parseKubeconfig } from '../kube/kubeconfig.js';
import { namespaces } from '../kube/resource.js';
import { createTransport } from '../kube/transport.js';
import type { CliContext } from './context.js';
import { CliError, usageError } from './failure.js';
import { withOrigin } from './origin.js';

/** Which cluster a command is about. */
export interface ClusterChoice {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** One cluster while a command runs. */
export interface ClusterSession {
  readonly label: string;
  readonly client: KubeClient;
  readonly access: ClusterAccess;
}

type Files = Pick<CliContext, 'environment' | 'readFile' | 'homeDirectory'>;

/** Path of the kubeconfig, found as kubectl does: the flag, then `KUBECONFIG`, then the one in the home directory. */
export function kubeconfigPath(choice: ClusterChoice, { environment, homeDirectory }: Omit<Files, 'readFile'>): string {
  if (choice.kubeconfig !== undefined) return choice.kubeconfig;
  const listed = (environment['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  if (listed.length > 1) {
    throw usageError('KUBECONFIG names several files', 'Name one with --kubeconfig.');
  }
  return listed[0] ?? join(homeDirectory, '.kube/config');
}

/** Reads the access to a cluster. @throws CliError that names the file. */
export function readAccess(
  label: string,
  choice: ClusterChoice,
  context: Files & Pick<CliContext, 'clock'>,
): ClusterAccess {
  const path = kubeconfigPath(choice, context);
  let text: string;
  try {
    text = context.readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CliError(`the kubeconfig of the ${label}, ${path}, can't be read (${code})`, {
      cause: error,
      cure: 'Give the path of a kubeconfig, with --kubeconfig or in the variable KUBECONFIG.',
    });
  }
  try {
    return parseKubeconfig(text, {
      ...{ allowFiles: true, allowExec: true, environment: context.environment, clock: context.clock },
      ...{ baseDirectory: dirname(path), context: choice.context },
    });
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error;
    throw new CliError(`the kubeconfig of the ${label}, ${path}, can't be used: ${error.problems.join('; ')}`, {
      cause: error,
      cure: 'Correct the file, or choose another of its contexts with --context.',
    });
  }
}

/** Opens a cluster without asking it anything yet. */
export function openSession(label: string, access: ClusterAccess): ClusterSession {
  const client = createKubeClient(createTransport({ access, connections: 8, connectTimeoutMs: CONNECT_TIMEOUT_MS }));
  return { label, access, client: withOrigin(client, { label, server: access.server }) };
}

const CONNECT_TIMEOUT_MS = 5_000;

/** Opens the clusters that a command needs, and closes them when it has ended. */
export async function withSessions<T>(opened: readonly ClusterSession[], action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } finally {
    await Promise.all(opened.map(({ client }) => client.close()));
  }
}

/** UID of the cluster's kube-system namespace: the only identity that clusters have. */
export async function clusterUid({ client }: ClusterSession, signal: AbortSignal): Promise<string> {
  const { metadata } = await client.get(namespaces, { name: 'kube-system' }, { signal });
  return metadata?.uid ?? '';
}

/** Minor versions of Kubernetes that are supported, host and member alike. */
export const SUPPORTED_MINORS = { from: 31, to: 37 } as const;

/** Version of the API server, as `v1.36.3`. @throws CliError when something else answers at its address */
export async function serverVersion({ label, access, client }: ClusterSession, signal: AbortSignal): Promise<string> {
  const answer = await client.getPath('/version', { signal });
  try {
    const { gitVersion = '' } = JSON.parse(answer) as { gitVersion?: string };
    return gitVersion;
  } catch (error) {
    // What the parser says quotes the answer of whoever that is.
    throw new CliError(`what answers at ${access.server} for the ${label} is no API server of Kubernetes`, {
      cause: error,
      cure: 'Check the address in the kubeconfig.',
    });
  }
}

/** Why a version is not supported; undefined when it is. */
export function versionProblem(label: string, version: string): CliError | undefined {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const { from, to } = SUPPORTED_MINORS;
  if (major === '1' && Number(minor) >= from && Number(minor) <= to) return undefined;
  return new CliError(`the ${label} runs Kubernetes ${version || '(unknown version)'}, which is not supported`, {
    cure: `Use Kubernetes 1.${from} to 1.${to}.`,
  });
}

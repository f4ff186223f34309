import type { Pod } from '../apis/core.js';
import { pods } from '../kube/resource.js';
import { createTransport, type KubeTransport } from '../kube/transport.js';
import type { CliContext } from './context.js';
import { CliError } from './failure.js';
import { openMember, requireCluster } from './member-session.js';
import { findObject } from './objects.js';
import { fromOrigin } from './origin.js';
import { openSession, readAccess, withSessions, type ClusterChoice, type ClusterSession } from './session.js';

/** A container somewhere in the federation. */
export interface ContainerChoice {
  readonly host: ClusterChoice;
  /** The member that is asked; the host when absent. */
  readonly cluster: string | undefined;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string | undefined;
}

/** Where the container is. */
export interface ContainerTarget {
  readonly transport: KubeTransport;
  readonly session: ClusterSession;
  readonly container: string;
  /** Of the pod, below the server's address. */
  readonly path: string;
}

const DEFAULT_CONTAINER_ANNOTATION = 'kubectl.kubernetes.io/default-container';
const CONNECT_LIMIT_MS = 5_000;

/** Opens the cluster that has the pod, by the host's kubeconfig or, for a member, by the identity that its managers have. */
export async function withContainer(
  choice: ContainerChoice,
  context: CliContext,
  action: (target: ContainerTarget) => Promise<void>,
): Promise<void> {
  const host = openSession('host', readAccess('host', choice.host, context));
  await withSessions([host], async () => {
    const { cluster } = choice;
    if (cluster === undefined) {
      await inSession(host, choice, context, action);
      return;
    }
    const { signal } = context;
    const member = await openMember(host, await requireCluster(host, cluster, signal), signal);
    await withSessions([member], () => inSession(member, choice, context, action));
  });
}

async function inSession(
  session: ClusterSession,
  choice: ContainerChoice,
  { signal, terminal }: CliContext,
  action: (target: ContainerTarget) => Promise<void>,
): Promise<void> {
  const { namespace, pod: name } = choice;
  const pod = await findObject(session.client, pods, { namespace, name }, signal);
  if (pod === undefined) {
    const where = choice.cluster === undefined ? 'the host' : session.label;
    throw new CliError(`there is no pod ${name} in the namespace ${namespace} of ${where}`, {
      cure: 'Name its namespace with --namespace, or the member with --cluster.',
    });
  }
  const container = chooseContainer(pod, choice.container);
  if (container.isGuess) terminal.err(`container "${container.name}" of: ${container.all.join(', ')}\n`);
  const { access, label } = session;
  const transport = createTransport({ access, connections: 2, connectTimeoutMs: CONNECT_LIMIT_MS });
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
  try {
    await fromOrigin({ label, server: access.server }, () =>
      action({ transport, session, container: container.name, path }),
    );
  } finally {
    await transport.close();
  }
}

/** As kubectl chooses: the one that is named, else the one that the pod's annotation names, else the first. */
export function chooseContainer(
  pod: Pod,
  wanted: string | undefined,
): { readonly name: string; readonly isGuess: boolean; readonly all: readonly string[] } {
  const { own, all } = containersOf(pod);
  if (wanted !== undefined && !all.includes(wanted)) {
    throw new CliError(`the pod has no container ${wanted}`, { cure: `It has: ${all.join(', ')}` });
  }
  const named = pod.metadata?.annotations?.[DEFAULT_CONTAINER_ANNOTATION];
  const preferred = named !== undefined && all.includes(named) ? named : undefined;
  const isGuess = wanted === undefined && preferred === undefined && own.length > 1;
  return { name: wanted ?? preferred ?? own[0] ?? '', isGuess, all };
}

function containersOf({ spec }: Pod): { readonly own: readonly string[]; readonly all: readonly string[] } {
  const own = spec?.containers ?? [];
  const all = [...own, ...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])];
  return { own: own.map(({ name }) => name), all: all.map(({ name }) => name) };
}

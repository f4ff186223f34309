import type { KubeObject } from '../../apis/core.js';
import { HOST_COMPONENTS } from '../adopt/components.js';
import { findComponents, nameOfComponent } from '../adopt/stop.js';
import { hostLeaves } from '../host-leaves.js';
import { linkReadinessOf } from '../join/readiness.js';
import { AGENT, AGENT_PODS, HOST_CLUSTER, PART_OF, PART_OF_LABEL } from '../manifests/labels.js';
import { applyServed } from '../manifests/crds.js';
import { renderInstallation, type Manifest } from '../manifests/installation.js';
import { valueProblems, type InstallValues } from '../manifests/values.js';
import {
  applyObject,
  clusterRoleBindings,
  clusterRoles,
  customResourceDefinitions,
  daemonSets,
  deleteObject,
  disruptionBudgets,
  listIfServed,
  nameOfObject,
  podMonitors,
  prometheusRules,
  refOf,
} from '../objects.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { pods, serviceAccounts, services, type ResourceType } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { CliError, usageError } from '../failure.js';
import { renderManifests } from '../output/format.js';
import { runSteps, type Step } from '../output/steps.js';
import { isManaged, MANAGED_BY, MANAGED_BY_LABEL } from '../managed-by.js';
import {
  openSession,
  readAccess,
  serverVersion,
  versionProblem,
  withSessions,
  type ClusterChoice,
  type ClusterSession,
} from '../session.js';
import { waitUntil, type Probed } from '../wait.js';
import { podProblem, rolledOut } from '../rollout.js';

export interface InstallOptions {
  readonly host: ClusterChoice;
  readonly namespace: string;
  readonly values: InstallValues;
  /** Only print what would be applied. */
  readonly dryRun: boolean;
  readonly format: 'json' | 'yaml';
  /** How long to wait for the managers; 0 doesn't wait. */
  readonly waitMs: number;
}

const LEAVE_LIMIT_MS = 120_000;
/** Kinds that an installation has or has not, depending on its values. */
const OPTIONAL: readonly ResourceType<KubeObject>[] = [
  ...[services, daemonSets, disruptionBudgets, podMonitors, prometheusRules],
  ...[clusterRoleBindings, clusterRoles, serviceAccounts],
];

/** Everything that `install` applies: namespace and CRDs first. */
export function installationOf(
  options: InstallOptions,
  context: Pick<CliContext, 'crds' | 'version'>,
): readonly Manifest[] {
  const { namespace, values } = options;
  const problems = valueProblems(values);
  if (problems.length > 0) throw usageError(`the values are not valid: ${problems.join('; ')}`);
  return [
    namespaceManifest(namespace),
    ...context.crds(),
    ...renderInstallation(values, { namespace, version: context.version }),
  ];
}

function namespaceManifest(name: string): Manifest {
  const labels = { [PART_OF_LABEL]: PART_OF, [MANAGED_BY_LABEL]: MANAGED_BY };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** Installs Kosmos in the host, or brings an installation to this version and these values. */
export async function install(options: InstallOptions, context: CliContext): Promise<void> {
  const manifests = installationOf(options, context);
  if (options.dryRun) {
    context.terminal.out(renderManifests(manifests, options.format));
    return;
  }
  const session = openSession('host', readAccess('host', options.host, context));
  const { signal } = context;
  const { client } = session;
  const crds = manifests.filter(({ kind }) => kind === customResourceDefinitions.kind);
  const { values } = options;
  const waits = [
    rolledOut(session, options.namespace, options.waitMs, context),
    ...(values.clusterLink.enabled ? [hostLinked(session, options, context)] : []),
  ];
  const [namespace, ...others] = manifests.filter(({ kind }) => kind !== customResourceDefinitions.kind);
  await withSessions([session], () =>
    runSteps(context, [
      {
        title: 'Look at the host cluster',
        run: async () => {
          const version = await serverVersion(session, signal);
          const problem = versionProblem('host', version);
          if (problem !== undefined) throw problem;
          await refuseFormer(session, options.namespace, signal);
          return `Kubernetes ${version}`;
        },
      },
      {
        title: 'Apply namespace and CRDs',
        run: async (report) => {
          if (namespace !== undefined) await applyNamespace(client, namespace, signal);
          await applyServed(client, crds, report, context);
          return undefined;
        },
      },
      ...(values.clusterLink.enabled ? [] : [hostLeaves(session, { force: false, waitMs: LEAVE_LIMIT_MS }, context)]),
      {
        title: 'Apply identity, rights and managers',
        run: async (report) => {
          for (const manifest of others) {
            report(nameOfObject(manifest));
            await applyObject(client, manifest, { signal });
          }
          await prune(client, options.namespace, others, signal);
          return undefined;
        },
      },
      ...(options.waitMs === 0 ? [] : waits),
    ]),
  );
  context.terminal.err(`\nKosmos ${context.version} is installed. Join a member:\n  ${JOIN_HINT}\n`);
}

/** Two managers would undo each other's work, and this one takes pods that it doesn't know for lost. */
async function refuseFormer(host: ClusterSession, namespace: string, signal: AbortSignal): Promise<void> {
  const [former] = await findComponents({ session: host, cluster: 'host', namespace }, HOST_COMPONENTS, signal);
  if (former === undefined) return;
  throw new CliError(`Kosmos in Go still runs here: ${nameOfComponent(former)}`, {
    cure: 'Take over what it has made first: kosmosctl adopt',
  });
}

/** The step that waits until agents have made the host's nodes ready for tunnels to members. */
function hostLinked(
  { client }: ClusterSession,
  { waitMs: timeoutMs, namespace }: InstallOptions,
  { signal, clock }: CliContext,
): Step {
  const probe = async (): Promise<Probed<string>> => {
    const probed = linkReadinessOf(await client.get(clusters, { name: HOST_CLUSTER }, { signal }));
    if ('found' in probed) return probed;
    const { items } = await client.list(pods, { namespace, labelSelector: AGENT_PODS, signal });
    const problem = items.map((pod) => podProblem(pod, `daemonset/${AGENT}`)).find((found) => found !== undefined);
    return problem === undefined
      ? probed
      : { pending: `${probed.pending}; ${problem.problem}`, cure: problem.cure ?? probed.cure };
  };
  return {
    title: "Wait for the host's network",
    run: (report) => waitUntil("the host's network", probe, report, { clock, signal, timeoutMs }),
  };
}

const JOIN_HINT = 'kosmosctl join cluster --name member1 --kubeconfig MEMBER_KUBECONFIG';

/** One that is there already stays somebody else's: it is not removed with Kosmos. */
async function applyNamespace(
  client: Parameters<typeof applyObject>[0],
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  const type = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };
  const { items } = await client.list(type, { fieldSelector: `metadata.name=${refOf(manifest).name}`, signal });
  const [present] = items;
  if (present?.metadata?.deletionTimestamp !== undefined) {
    throw new CliError(`the namespace ${refOf(manifest).name} is being deleted`, {
      cure: 'Wait until it is gone, then run the command again.',
    });
  }
  if (present === undefined || isManaged(present)) {
    await applyObject(client, manifest, { signal });
  }
}

/** Removes what an earlier installation had and this one hasn't. */
async function prune(
  client: Parameters<typeof applyObject>[0],
  namespace: string,
  wanted: readonly Manifest[],
  signal: AbortSignal,
): Promise<void> {
  for (const type of OPTIONAL) {
    const labelSelector = `${PART_OF_LABEL}=${PART_OF}`;
    for (const object of await listIfServed(client, type, { namespace, labelSelector, signal })) {
      const isWanted = wanted.some(({ kind, metadata }) => kind === type.kind && metadata?.name === refOf(object).name);
      if (!isWanted) await deleteObject(client, type, refOf(object), signal);
    }
  }
}

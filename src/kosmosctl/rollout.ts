import type { KubeObject, Pod } from '../apis/core.js';
import { pods } from '../kube/resource.js';
import type { CliContext } from './context.js';
import { conditionOf, nameOf, shown, type AnyCondition } from './fields.js';
import { MANAGER, MANAGER_PODS } from './manifests/labels.js';
import { deployments, findObject } from './objects.js';
import type { Step } from './output/steps.js';
import type { ClusterSession } from './session.js';
import { waitUntil, type Probed } from './wait.js';

interface DeploymentObject extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly AnyCondition[];
  };
}

/** How far the rollout of a Deployment is; undefined when it is complete. As `kubectl rollout status` sees it. */
export function rolloutPending({ metadata, spec, status }: DeploymentObject): string | undefined {
  const { replicas: wanted = 1 } = spec ?? {};
  const seen = { ...NOTHING_SEEN, ...status };
  if (seen.observedGeneration < (metadata?.generation ?? 0)) return 'the Deployment has not been looked at yet';
  if (seen.updatedReplicas < wanted) return `${seen.updatedReplicas} of ${wanted} managers are of this version`;
  if (seen.replicas > seen.updatedReplicas) return `${seen.replicas - seen.updatedReplicas} older managers still run`;
  return seen.availableReplicas < wanted ? `${seen.availableReplicas} of ${wanted} managers are ready` : undefined;
}

const NOTHING_SEEN = { replicas: 0, updatedReplicas: 0, availableReplicas: 0, observedGeneration: 0 };

/** Reasons of waiting containers that won't go away by themselves. */
const CURES: Readonly<Record<string, string>> = {
  ErrImagePull: 'Import the image into the nodes, or name another with --image.',
  ImagePullBackOff: 'Import the image into the nodes, or name another with --image.',
  ErrImageNeverPull: 'Import the image into the nodes, or name another with --image.',
  InvalidImageName: 'Name a valid image with --image.',
  CrashLoopBackOff: 'Look at the log: kubectl logs -n NAMESPACE WORKLOAD',
  CreateContainerConfigError: 'Look at the pod: kubectl describe pod -n NAMESPACE POD',
};

/** Why a pod doesn't run, and what to do; undefined when there is nothing special about it. */
export function podProblem(
  pod: Pod,
  workload = `deployment/${MANAGER}`,
): { readonly problem: string; readonly cure: string | undefined } | undefined {
  const name = nameOf(pod);
  const waiting = (pod.status?.containerStatuses ?? []).flatMap(({ state }) => state?.waiting ?? []);
  const stuck = waiting.find(({ reason }) => reason !== undefined && !PASSING.includes(reason));
  if (stuck !== undefined) {
    const { reason = '', message } = stuck;
    const cure = CURES[reason]
      ?.replace('NAMESPACE', shown(pod.metadata?.namespace))
      .replace('POD', name)
      .replace('WORKLOAD', workload);
    return { problem: `${name}: ${reason}${message === undefined ? '' : ` (${message})`}`, cure };
  }
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  const problem = `${name}: ${shown(scheduled.message, 'no node fits')}`;
  return { problem, cure: 'Make room, or use --replicas 1.' };
}

const CREATION_CURE = 'Change what refuses it: a quota of the namespace, or an admission policy.';
const PASSING = ['ContainerCreating', 'PodInitializing'];

/** Why no pod could be made, in the words of whoever refused it: a quota, or an admission webhook. */
export function creationProblem(deployment: DeploymentObject): string | undefined {
  const failure = conditionOf(deployment, 'ReplicaFailure');
  return failure?.status === 'True' ? `no pod can be made: ${shown(failure.message)}` : undefined;
}

/** The step that waits until all managers run in the version that was applied. */
export function rolledOut(session: ClusterSession, namespace: string, timeoutMs: number, context: CliContext): Step {
  const { signal, clock } = context;
  const probe = async (): Promise<Probed<string>> => {
    const deployment = await findObject(session.client, deployments, { namespace, name: MANAGER }, signal);
    if (deployment === undefined) return { pending: 'there is no Deployment' };
    const pending = rolloutPending(deployment);
    if (pending === undefined) return { found: `${(deployment as DeploymentObject).spec?.replicas ?? 1} ready` };
    const refused = creationProblem(deployment);
    if (refused !== undefined) return { pending: `${pending}; ${refused}`, cure: CREATION_CURE };
    const { items } = await session.client.list(pods, { namespace, labelSelector: MANAGER_PODS, signal });
    const problem = items.map((pod) => podProblem(pod)).find((found) => found !== undefined);
    return problem === undefined ? { pending } : { pending: `${pending}; ${problem.problem}`, cure: problem.cure };
  };
  return {
    title: 'Wait for the managers',
    run: (report) => waitUntil('managers', probe, report, { clock, signal, timeoutMs }),
  };
}

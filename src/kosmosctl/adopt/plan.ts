import type { KubeObject } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { KOSMOS_NAMESPACE } from '../../apis/names.js';
import type { ClusterConfig } from '../../clustertree/cluster/options.js';
import { ownershipOf } from '../../clustertree/cluster/ownership.js';
import { isRoot } from '../../clustertree/cluster/registry.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { objectKey } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { explainError } from '../explain-error.js';
import { nameOf } from '../fields.js';
import { listIfServed } from '../objects.js';
import { openCluster } from '../member-session.js';
import { serverVersion, versionProblem, type ClusterSession } from '../session.js';
import { hasInlineKubeconfig, judgeCluster, judgeUsable } from './clusters.js';
import { HARMLESS_COMPONENTS, HOST_COMPONENTS, LINKED_COMPONENTS } from './components.js';
import { FORMER_KINDS } from './former-kinds.js';
import { found, problem, stays, type Finding } from './judgement.js';
import { judgeMember, podsOn, usableNodes } from './member.js';
import { judgeNodeConfigs } from './node-configs.js';
import { judgeNodes } from './nodes.js';
import type { Schema } from './schema.js';
import { findComponents, type RunningComponent } from './stop.js';
import { viewHost, viewMember, type HostView } from './views.js';

/** A Cluster whose member can be reached. */
export interface ReachedCluster {
  readonly cluster: Cluster;
  readonly session: ClusterSession;
  /** UID of its kube-system namespace. */
  readonly uid: string;
}

/** All that is there, and what is to become of it. */
export interface AdoptionPlan {
  /** What of Kosmos in Go still runs and has to be stopped, in this order. */
  readonly running: readonly RunningComponent[];
  readonly findings: readonly Finding[];
  readonly reached: readonly ReachedCluster[];
  /** Names of the virtual nodes that are taken over. */
  readonly virtualNodes: readonly string[];
}

export interface PlanOptions {
  /** Of Kosmos in the host, in Go and ours. */
  readonly namespace: string;
  /** Move kubeconfigs from Clusters into Secrets. */
  readonly moveKubeconfigs: boolean;
}

/** Opens the cluster behind a Cluster, or gives it again. */
export type OpenMember = (cluster: Cluster) => Promise<ClusterSession>;

/** Sessions with members, each of which is opened once, however often they are looked at. */
export class MemberSessions {
  readonly #host: ClusterSession;
  readonly #signal: AbortSignal;
  readonly #opened = new Map<string, ClusterSession>();

  constructor(host: ClusterSession, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
  }

  /** A Cluster whose kubeconfig was moved in between is still the same member. */
  async open(cluster: Cluster): Promise<ClusterSession> {
    const name = nameOf(cluster);
    const opened = this.#opened.get(name) ?? (await openCluster(this.#host, cluster, this.#signal));
    this.#opened.set(name, opened);
    return opened;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map(({ client }) => client.close()));
  }
}

/** Looks at host and members, and judges what it finds. */
export async function planAdoption(
  host: ClusterSession,
  open: OpenMember,
  options: PlanOptions,
  context: Pick<CliContext, 'signal' | 'crds'>,
): Promise<AdoptionPlan> {
  const { signal } = context;
  await requireVersion(host, signal);
  const view = await viewHost(host, signal);
  const credentials = options.moveKubeconfigs ? options.namespace : undefined;
  const schema = clusterSchema(context);
  const judged = view.clusters.map((cluster) => ({ cluster, ...judgeCluster(cluster) }));
  const wanted = judged.flatMap(({ config }) =>
    config === undefined ? [] : [{ cluster: config.name, names: config.virtualNodes.map(({ nodeName }) => nodeName) }],
  );
  const parts = await Promise.all(judged.map(({ cluster, config }) => lookAt(cluster, config, view, { open, signal })));
  const reached = parts.flatMap((part) => part.reached ?? []);
  const isMoved = (cluster: Cluster): boolean => isRoot(cluster) || reached.some((one) => one.cluster === cluster);
  const inHost = await findComponents(
    { session: host, cluster: 'host', namespace: options.namespace },
    HOST_COMPONENTS,
    signal,
  );
  return {
    running: [...inHost, ...parts.flatMap(({ running }) => running)],
    findings: [
      ...judged.map(({ cluster, obstacle }) => {
        const namespace = isMoved(cluster) ? credentials : undefined;
        return found('host', clusters, cluster, obstacle ?? judgeUsable(cluster, schema, namespace));
      }),
      ...judgeNodes(view.nodes, wanted),
      ...judgeNodeConfigs({ ...view, root: nameOf(view.clusters.find(isRoot)) }),
      ...parts.flatMap(({ findings }) => findings),
      ...(await formerObjects(host, signal)),
      ...(await harmless(host, options, view, signal)),
    ],
    reached,
    virtualNodes: judged.flatMap(({ config }) => (config === undefined ? [] : [...usableNodes(config, view.nodes)])),
  };
}

interface Part {
  readonly running: readonly RunningComponent[];
  readonly findings: readonly Finding[];
  readonly reached?: ReachedCluster;
}

/** A member that can't be looked at is left as it is, and keeps nobody from taking over the others. */
async function lookAt(
  cluster: Cluster,
  config: ClusterConfig | undefined,
  host: HostView,
  { open, signal }: { readonly open: OpenMember; readonly signal: AbortSignal },
): Promise<Part> {
  const name = nameOf(cluster);
  try {
    const session = await open(cluster);
    const namespace = cluster.spec.namespace ?? KOSMOS_NAMESPACE;
    const running = await findComponents({ session, cluster: name, namespace }, LINKED_COMPONENTS, signal);
    if (config === undefined) return { running, findings: [] };
    await requireVersion(session, signal);
    const ownership = ownershipOf(host.uid, name);
    const hostPods = podsOn(usableNodes(config, host.nodes), host).map(objectKey);
    const view = await viewMember(session, hostPods, signal);
    const findings = judgeMember(host, view, config, ownership);
    return { running, findings, reached: { cluster, session, uid: view.uid } };
  } catch (error) {
    if (signal.aborted) throw error;
    const { message } = explainError(error);
    const judgement =
      config === undefined
        ? stays(`what of Kosmos in Go runs there can't be looked for: ${message}`)
        : problem(`${message}; nothing of it is taken over`);
    return { running: [], findings: [{ cluster: name, kind: 'member', name, judgement }] };
  }
}

async function requireVersion(session: ClusterSession, signal: AbortSignal): Promise<void> {
  const unsupported = versionProblem(session.label, await serverVersion(session, signal));
  if (unsupported !== undefined) throw unsupported;
}

async function formerObjects({ client }: ClusterSession, signal: AbortSignal): Promise<readonly Finding[]> {
  const lists = FORMER_KINDS.map(async ({ type, why }) =>
    (await listIfServed(client, type, { signal })).map((object) => found('host', type, object, problem(why))),
  );
  return (await Promise.all(lists)).flat();
}

async function harmless(
  host: ClusterSession,
  { namespace, moveKubeconfigs }: PlanOptions,
  view: HostView,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const present = await findComponents({ session: host, cluster: 'host', namespace }, HARMLESS_COMPONENTS, signal);
  return present.map(({ component, workload }) => {
    const isDns = component.name === 'coredns';
    const isCut = isDns && moveKubeconfigs && view.clusters.some(hasInlineKubeconfig);
    const judgement = isCut
      ? problem('reads the kubeconfigs in Clusters, which are moved: names of members are not resolved any more')
      : stays(
          isDns ? 'goes on as it is' : 'goes on for pods that ask for it; claims without volume need the stock one',
        );
    return found('host', component.type, workload, judgement);
  });
}

function clusterSchema({ crds }: Pick<CliContext, 'crds'>): Schema | undefined {
  const crd = crds().find(({ metadata }) => metadata?.name === 'clusters.kosmos.io') as Definition | undefined;
  return crd?.spec?.versions?.[0]?.schema?.openAPIV3Schema;
}

interface Definition extends KubeObject {
  readonly spec?: { readonly versions?: readonly { readonly schema?: { readonly openAPIV3Schema?: Schema } }[] };
}

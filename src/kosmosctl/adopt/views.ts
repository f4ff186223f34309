import PQueue from 'p-queue';
import type { Claim, KubeObject, Namespace, Node, PersistentVolume, Pod } from '../../apis/core.js';
import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import { FORMER_IMPORT_ANNOTATION, POD_LABEL } from '../../apis/names.js';
import { isNotFound } from '../../kube/api-error.js';
import { clusterNodes, clusters, nodeConfigs } from '../../kube/kosmos-resources.js';
import {
  claims,
  configMaps,
  metadataOf,
  namespaces,
  nodes,
  objectKey,
  pods,
  secrets,
  services,
  splitKey,
  volumes,
  type ObjectKey,
  type ResourceType,
} from '../../kube/resource.js';
import { CliError } from '../failure.js';
import { findObject, listIfServed } from '../objects.js';
import { clusterUid, type ClusterSession } from '../session.js';

type ByKey<T> = ReadonlyMap<ObjectKey, T>;

/** What both sides are looked through for. Of ConfigMaps and Secrets only the metadata is read. */
interface View {
  readonly pods: ByKey<Pod>;
  readonly configMaps: ByKey<KubeObject>;
  readonly secrets: ByKey<KubeObject>;
  readonly claims: ByKey<Claim>;
  readonly volumes: ByKey<PersistentVolume>;
}

/** The host. */
export interface HostView extends View {
  readonly uid: string;
  readonly clusters: readonly Cluster[];
  readonly clusterNodes: readonly ClusterNode[];
  readonly nodeConfigs: readonly NodeConfig[];
  readonly nodes: readonly Node[];
}

/** A member. Of its pods those that Kosmos has made, and those that have a name of one of the host's. */
export interface MemberView extends View {
  readonly uid: string;
  readonly namespaces: ByKey<Namespace>;
  /** How many Services Kosmos in Go has imported. */
  readonly imports: number;
}

const CONCURRENCY = 16;

/** @throws CliError when the host has no Clusters */
export async function viewHost(host: ClusterSession, signal: AbortSignal): Promise<HostView> {
  const { client } = host;
  let found: readonly Cluster[];
  try {
    found = (await client.list(clusters, { signal })).items;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CliError('the host knows no Clusters, so that there is nothing to adopt', {
      cause: error,
      cure: 'Name the host cluster with its kubeconfig or context, or begin with "kosmosctl install".',
    });
  }
  const [uid, common, nodeList, podList, ofNodes, ofConfigs] = await Promise.all([
    clusterUid(host, signal),
    viewObjects(host, signal),
    client.list(nodes, { signal }),
    client.list(pods, { signal }),
    listIfServed(client, clusterNodes, { signal }),
    listIfServed(client, nodeConfigs, { signal }),
  ]);
  const linked = { clusterNodes: ofNodes, nodeConfigs: ofConfigs };
  return { uid, clusters: found, nodes: nodeList.items, pods: byKey(podList.items), ...linked, ...common };
}

/** `hostPods` are the keys of the host pods on the member's virtual nodes. */
export async function viewMember(
  member: ClusterSession,
  hostPods: readonly ObjectKey[],
  signal: AbortSignal,
): Promise<MemberView> {
  const { client } = member;
  const [uid, common, namespaceList, serviceList, former] = await Promise.all([
    clusterUid(member, signal),
    viewObjects(member, signal),
    client.list(namespaces, { signal }),
    client.list(metadataOf(services), { signal }),
    client.list(pods, { labelSelector: `${POD_LABEL}=true`, signal }),
  ]);
  const known = byKey(former.items);
  const others = await findPods(
    member,
    hostPods.filter((key) => !known.has(key)),
    signal,
  );
  return {
    ...{ uid, ...common, namespaces: byKey(namespaceList.items), pods: new Map([...known, ...byKey(others)]) },
    imports: serviceList.items.filter(({ metadata }) => metadata?.annotations?.[FORMER_IMPORT_ANNOTATION]).length,
  };
}

async function viewObjects({ client }: ClusterSession, signal: AbortSignal): Promise<Omit<View, 'pods'>> {
  const list = async <T extends KubeObject>(type: ResourceType<T>): Promise<ByKey<T>> =>
    byKey((await client.list(type, { signal })).items);
  const [ofConfigMaps, ofSecrets, ofClaims, ofVolumes] = await Promise.all([
    list(metadataOf(configMaps)),
    list(metadataOf(secrets)),
    list(claims),
    list(volumes),
  ]);
  return { configMaps: ofConfigMaps, secrets: ofSecrets, claims: ofClaims, volumes: ofVolumes };
}

async function findPods(
  { client }: ClusterSession,
  keys: readonly ObjectKey[],
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const queue = new PQueue({ concurrency: CONCURRENCY });
  const found = await queue.addAll(keys.map((key) => () => findObject(client, pods, splitKey(key), signal)));
  return found.filter((pod) => pod !== undefined);
}

function byKey<T extends KubeObject>(objects: readonly T[]): ByKey<T> {
  return new Map(objects.map((object) => [objectKey(object), object]));
}

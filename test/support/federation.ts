import { readFileSync } from 'node:fs';
import {
  applyCrds,
  joinMember,
  startManager,
  waitForMembers,
  type JoinOptions,
  type ManagerOptions,
} from '../../hack/lab/federation.js';
import { Lab } from '../../hack/lab/lab.js';
import type { LabOptions } from '../../hack/lab/options.js';
import type { LabProcess } from '../../hack/lab/supervisor.js';
import type { Event, KubeObject, Pod } from '../../src/apis/core.js';
import type { Cluster, ClusterCondition } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import { HOST_UID_ANNOTATION, KOSMOS_NAMESPACE } from '../../src/apis/names.js';
import { isNotFound } from '../../src/kube/api-error.js';
import type { DeleteOptions, KubeClient } from '../../src/kube/client.js';
import { createKubeClient } from '../../src/kube/http-client.js';
import { clusters } from '../../src/kube/kosmos-resources.js';
import { parseKubeconfig } from '../../src/kube/kubeconfig.js';
import { events, leases, namespaces, pods, type ObjectRef, type ResourceType } from '../../src/kube/resource.js';
import { createTransport } from '../../src/kube/transport.js';
import { eventually } from './eventually.js';

export interface FederationOptions extends LabOptions {
  /** Must be given: every test file has a lab of its own. */
  readonly instance: string;
  readonly manager?: ManagerOptions;
  /** Joins all members in the ordinary way and waits for their nodes. @default true */
  readonly join?: boolean | JoinOptions;
}

/** Kubernetes' own, which uses the same reasons and now and then reports a conflict. */
const VOLUME_CONTROLLER = 'persistentvolume-controller';
const LEADER_LEASE = { namespace: KOSMOS_NAMESPACE, name: 'kosmos-manager' };

/** A lab with a manager in it, and a typed look at its clusters. One per test file. */
export class Federation {
  readonly lab: Lab;
  #manager: ManagerOptions;
  readonly #clients = new Map<string, KubeClient>();
  #process: LabProcess | undefined;

  private constructor(lab: Lab, manager: ManagerOptions) {
    this.lab = lab;
    // In the client's namespace the manager's ports don't meet those of another lab's manager.
    this.#manager = { where: 'client', ...manager };
  }

  /** Boots the lab, starts the manager and joins the members. Nothing is left when it fails. */
  static async start(options: FederationOptions): Promise<Federation> {
    const { manager = {}, join = true, ...lab } = options;
    const federation = await Federation.boot(lab, manager);
    try {
      await federation.startManager();
      if (join !== false) await federation.joinAll(join === true ? {} : join);
      return federation;
    } catch (error) {
      await federation.down();
      throw error;
    }
  }

  /** Boots the lab with the CRDs, without a manager. */
  static async boot(
    options: LabOptions & { readonly instance: string },
    manager: ManagerOptions = {},
  ): Promise<Federation> {
    await Lab.down(options.instance);
    const lab = await Lab.up(options);
    try {
      await applyCrds(lab);
      return new Federation(lab, manager);
    } catch (error) {
      await lab.down();
      throw error;
    }
  }

  async down(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    await this.lab.down();
  }

  /** A typed client with all rights; `host` or a member's name. */
  client(cluster: string): KubeClient {
    const present = this.#clients.get(cluster);
    if (present !== undefined) return present;
    const text = readFileSync(this.lab.cluster(cluster).kubeconfigPath, 'utf8');
    const access = parseKubeconfig(text, { allowFiles: true });
    const client = createKubeClient(createTransport({ access, qps: 1_000, burst: 1_000 }));
    this.#clients.set(cluster, client);
    return client;
  }

  get host(): KubeClient {
    return this.client('host');
  }

  get manager(): LabProcess {
    if (this.#process === undefined) throw new Error('the manager was never started');
    return this.#process;
  }

  /** Options stay in force for later starts. */
  async startManager(options: ManagerOptions = {}): Promise<void> {
    this.#manager = { ...this.#manager, ...options };
    this.#process = await startManager(this.lab, this.#manager);
  }

  /** Starts another manager, for another host; the lab ends it. */
  startOtherManager(options: ManagerOptions): Promise<LabProcess> {
    return startManager(this.lab, options);
  }

  /** As a crash would; resolves when the process is gone. */
  async killManager(): Promise<void> {
    this.manager.kill('SIGKILL');
    await this.manager.wait();
  }

  /**
   * Starts the manager after a crash. The dead one's lease is removed, else each restart would wait for its end, 15 s.
   */
  async restartManager(options: ManagerOptions = {}): Promise<void> {
    await deleteIfPresent(this.host, leases, LEADER_LEASE);
    await this.startManager(options);
  }

  async joinAll(options: Omit<JoinOptions, 'name'> = {}): Promise<void> {
    for (const member of this.lab.members) await joinMember(this.lab, member, options);
    await this.waitForMembers();
  }

  /** Applies a Cluster for a member, without waiting. */
  join(member: string, options: JoinOptions = {}): Promise<void> {
    return joinMember(this.lab, this.lab.cluster(member), options);
  }

  waitForMembers(names: readonly string[] = this.lab.members.map(({ name }) => name)): Promise<void> {
    return waitForMembers(this.lab, names);
  }

  /** Waits until the nodes that stand for a whole member answer: after a restart of the manager they are Ready before. */
  async waitForKubelets(): Promise<void> {
    const paths = this.lab.members.map(({ name }) => `/api/v1/nodes/kosmos-${name}/proxy/healthz`);
    await eventually(() => Promise.all(paths.map((path) => this.lab.host.api.text('GET', path))));
  }

  /** Makes a namespace with its default service account in a cluster. */
  async namespace(name: string, cluster = 'host'): Promise<string> {
    await this.lab.cluster(cluster).ensureNamespace(name);
    return name;
  }

  async deleteNamespace(name: string, cluster = 'host'): Promise<void> {
    await deleteIfPresent(this.client(cluster), namespaces, { name });
  }

  find<T extends KubeObject>(cluster: string, type: ResourceType<T>, ref: ObjectRef): Promise<T | undefined> {
    return findObject(this.client(cluster), type, ref);
  }

  pod(cluster: string, ref: ObjectRef): Promise<Pod | undefined> {
    return this.find(cluster, pods, ref);
  }

  async pods(cluster: string, namespace: string, labelSelector?: string): Promise<readonly Pod[]> {
    return (await this.client(cluster).list(pods, { namespace, labelSelector })).items;
  }

  /** Pods of a namespace in all members, with the name of the member. */
  async memberPods(namespace: string, labelSelector?: string): Promise<readonly { cluster: string; pod: Pod }[]> {
    const lists = this.lab.members.map(async ({ name }) =>
      (await this.pods(name, namespace, labelSelector)).map((pod) => ({ cluster: name, pod })),
    );
    return (await Promise.all(lists)).flat();
  }

  /** Waits until a pod is Running and Ready in that cluster. */
  runningPod(cluster: string, ref: ObjectRef): Promise<Pod> {
    return eventually(async () => {
      const pod = await this.client(cluster).get(pods, ref);
      if (!isReady(pod)) throw new Error(`${ref.name} in ${cluster} is not ready: ${JSON.stringify(pod.status)}`);
      return pod;
    });
  }

  /** Waits until the containers of a pod of the host have begun to run; they may have ended since. */
  async podStarted(ref: ObjectRef): Promise<void> {
    await eventually(async () => {
      const pod = await this.host.get(pods, ref);
      if (pod.status?.phase !== 'Pending' && pod.status?.phase !== undefined) return;
      throw new Error(`${ref.name} has not started: ${JSON.stringify(pod.status)}`);
    });
  }

  /** Waits until as many pods are Running and Ready in that cluster, and no other is there. */
  runningPods(cluster: string, namespace: string, count: number, labelSelector?: string): Promise<readonly Pod[]> {
    return eventually(async () => {
      const found = await this.pods(cluster, namespace, labelSelector);
      const ready = found.filter(isReady);
      if (ready.length !== count || found.length !== count) {
        const states = found.map((pod) => `${pod.metadata?.name ?? ''}:${pod.status?.phase ?? ''}`);
        throw new Error(`${count} ready pods expected in ${cluster}, there are ${ready.length}: ${states.join(' ')}`);
      }
      return found;
    });
  }

  /** Waits until the cluster has no pod of that name. */
  async podGone(cluster: string, ref: ObjectRef): Promise<void> {
    await eventually(async () => {
      const pod = await this.pod(cluster, ref);
      if (pod !== undefined) throw new Error(`${ref.name} is still in ${cluster}: ${JSON.stringify(pod.metadata)}`);
    });
  }

  /** Waits for an Event with that reason about an object; `uid` of a pod, or a name. */
  event(reason: string, about: { readonly name: string; readonly namespace?: string }): Promise<Event> {
    const namespace = about.namespace ?? 'default';
    return eventually(async () => {
      const { items } = await this.host.list(events, { namespace, fieldSelector: `involvedObject.name=${about.name}` });
      const found = items.find((event) => event.reason === reason && event.source?.component !== VOLUME_CONTROLLER);
      if (found) return found;
      throw new Error(
        `no Event ${reason}, only: ${items.map((event) => `${event.reason}: ${event.message}`).join('; ')}`,
      );
    });
  }

  /** Waits until a condition of a Cluster has that status and reason, and returns it. */
  clusterCondition(name: string, type: string, status: string, reason?: string): Promise<ClusterCondition> {
    return eventually(async () => {
      const cluster: Cluster = await this.host.get(clusters, { name });
      const found = cluster.status?.conditions?.find((condition) => condition.type === type);
      if (found?.status !== status || (reason !== undefined && found.reason !== reason)) {
        throw new Error(`${type} of ${name} should be ${status} ${reason ?? ''}: ${JSON.stringify(cluster.status)}`);
      }
      return found;
    });
  }
}

/** Undefined instead of 404. */
export async function findObject<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  ref: ObjectRef,
): Promise<T | undefined> {
  try {
    return await client.get(type, ref);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export async function deleteIfPresent<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  ref: ObjectRef,
  options: DeleteOptions = {},
): Promise<void> {
  try {
    await client.delete(type, ref, options);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

export function isReady(pod: Pod): boolean {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  return pod.status?.phase === 'Running' && ready?.status === 'True' && pod.metadata?.deletionTimestamp === undefined;
}

/** UID of the host pod that a member pod stands for. */
export function hostUidOf(memberPod: Pod): string | undefined {
  return memberPod.metadata?.annotations?.[HOST_UID_ANNOTATION];
}

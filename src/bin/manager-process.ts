import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isRegistered, isWanted } from '../clustertree/cluster/registry.js';
import { parseHostApiAddress } from '../clustertree/cluster/host-api.js';
import { plannerSettings } from '../clusterlink/planner/options.js';
import { resolveKubeletAddresses } from '../clustertree/node/kubelet-address.js';
import { isAlreadyExists, isForbidden, isNotFound } from '../kube/api-error.js';
import type { KubeClient } from '../kube/client.js';
import type { ClusterAccess } from '../kube/cluster-access.js';
import { createKubeClient } from '../kube/http-client.js';
import { inClusterAccess } from '../kube/in-cluster.js';
import { createInformerFactory } from '../kube/informer-factory.js';
import { clusters } from '../kube/kosmos-resources.js';
import { parseKubeconfig } from '../kube/kubeconfig.js';
import { RecoveryDetector } from '../kube/recovery.js';
import { namespaces } from '../kube/resource.js';
import { createTransport } from '../kube/transport.js';
import { systemClock as clock, systemRandom as random } from '../lib/clock.js';
import { errorMessage, FederationError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { createControllerFactory } from '../runtime/controller-factory.js';
import { ApiEventRecorder } from '../runtime/event-recorder.js';
import { HealthServer } from '../runtime/health-server.js';
import { LeaderElector } from '../runtime/leader-election.js';
import { Metrics } from '../runtime/metrics.js';
import { ClusterLink } from './clusterlink.js';
import { ClusterTree } from './clustertree/clustertree.js';
import type { KubeletSettings } from './clustertree/options.js';
import type { ManagerOptions } from './manager-options.js';
import { Parts } from './parts.js';

type Environment = Readonly<Record<string, string | undefined>>;

const LEASE_NAME = 'kosmos-manager';
const ELECTION_CONNECTIONS = 8;
/** Reviews are short, and a burst of new tokens must not starve them of connections. */
const REVIEW_CONNECTIONS = 16;
const START_RETRY_MS = 2_000;
/** By then every node of the host has heard that this pod no longer belongs to the Service. */
const SERVICE_LINGER_MS = 3_000;

/** Runs the manager until the signal aborts. Waits for the host when it can't be reached at the start. */
export async function runManager(
  options: ManagerOptions,
  environment: Environment,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const access = hostAccess(options, environment);
  const metrics = new Metrics({ processMetrics: true });
  const { hostQps: qps, hostBurst: burst } = options;
  const observer = metrics.apiRequest.bind(metrics);
  const transport = createTransport({ access, qps, burst, clock });
  // Heartbeats and the election must not wait behind a burst of pods.
  const heartbeats = createTransport({ access, connections: ELECTION_CONNECTIONS, clock });
  const reviews = createTransport({ access, connections: REVIEW_CONNECTIONS, clock });
  let onHostReturn = (): void => undefined;
  const recovery = new RecoveryDetector(() => onHostReturn());
  const ungated = createKubeClient(heartbeats, {
    ...{ cluster: 'host', clock },
    observer: (sample) => {
      observer(sample);
      recovery.observe(sample);
    },
  });
  const elector = new LeaderElector({
    ...{ client: ungated, clock, random, logger },
    lease: { namespace: options.leaseNamespace, name: LEASE_NAME },
    identity: `${hostname()}_${randomUUID()}`,
    leaseDurationMs: options.leaseDurationMs,
    renewDeadlineMs: options.renewDeadlineMs,
    retryPeriodMs: options.retryPeriodMs,
    onChange: () => metrics.leader(elector.leading),
  });
  const shared = { gate: elector.gate, cluster: 'host', observer, clock };
  const host = createKubeClient(transport, shared);
  const lowPriorityHost = createKubeClient(transport, { ...shared, priority: 'low' });
  const health = new HealthServer({
    ...{ address: options.healthAddress, port: options.healthPort, clock, logger, metrics },
  });
  let parts: Parts | undefined;
  health.addCheck('caches', ['readyz'], () => {
    if (parts?.synced !== true) throw new Error('the caches of the host are not complete');
  });
  await health.listen();
  try {
    const start = await untilReachable(() => prepare(ungated, options, environment, signal), logger, signal);
    if (start === undefined) return;
    const recorder = new ApiEventRecorder({
      ...{ client: lowPriorityHost, clock, random, logger },
      source: { component: 'kosmos-manager' },
      onDrop: (reason) => metrics.eventDropped(reason),
    });
    const createInformer = createInformerFactory({ clock, random, logger }, (cluster) =>
      metrics.reflectorObserver(cluster),
    );
    const common = {
      ...{ host, gate: elector.gate, recorder, clock, random, logger, createInformer },
      ...{ hostClusterUid: start.hostClusterUid, allowExecCredentials: options.allowExecCredentials },
      clusters: createInformer({ client: host, type: clusters }),
      createController: createControllerFactory({ clock, logger }, (name, cluster) =>
        metrics.controllerObserver(name, cluster),
      ),
      observeRequest: observer,
      onClusterGone: (cluster: string) => void metrics.forgetCluster(cluster),
      onMemberTokenExpiry: metrics.memberTokenExpiry.bind(metrics),
    };
    const createTree = (): ClusterTree =>
      new ClusterTree({
        ...{ ...common, lowPriorityHost, kubelet: start.kubelet },
        leaseClient: createKubeClient(heartbeats, shared),
        reviewClient: createKubeClient(reviews, { cluster: 'host', observer, clock }),
        kubeletObserver: metrics.kubeletObserver(),
        statsObserver: metrics.statsObserver(),
        onEventDropped: () => metrics.eventDropped('overflow'),
        reservedNamespaces: options.reservedNamespaces,
        hostApi: options.hostApiServer === undefined ? undefined : parseHostApiAddress(options.hostApiServer),
        tokenRenewalFraction: options.tokenRenewalPercent / 100,
        onTokenExpiry: metrics.tokenExpiry.bind(metrics),
        memberLimits: { qps: options.memberQps, burst: options.memberBurst },
        excludeExistingDaemonSets: options.excludeExistingDaemonsets,
      });
    const made = new Parts(common.clusters, [
      ...(options.modules.includes('clustertree') ? [createTree()] : []),
      ...(options.modules.includes('clusterlink')
        ? [
            new ClusterLink({
              ...common,
              metrics: metrics.linkObserver(),
              settings: plannerSettings(options),
              renewsToken: (cluster) => !hasVirtualNodes(options, cluster),
            }),
          ]
        : []),
    ]);
    parts = made;
    onHostReturn = () => made.reconnect();
    await Promise.all([made.run(signal), recorder.run(signal), elector.run(signal, (leading) => made.lead(leading))]);
  } finally {
    await Promise.all([health.close(), transport.close(), heartbeats.close(), reviews.close()]);
  }
}

/** Whether ClusterTree has something to do in the cluster. */
function hasVirtualNodes({ modules }: ManagerOptions, cluster: Cluster): boolean {
  return modules.includes('clustertree') && (isWanted(cluster) || isRegistered(cluster));
}

function hostAccess(options: ManagerOptions, environment: Environment): ClusterAccess {
  const { kubeconfig, context } = options;
  if (kubeconfig === undefined) return inClusterAccess({ environment, clock });
  return parseKubeconfig(readFileSync(kubeconfig, 'utf8'), {
    ...(context !== undefined && { context }),
    ...{ allowFiles: true, allowExec: true, environment, clock },
  });
}

interface Start {
  readonly hostClusterUid: string;
  readonly kubelet: KubeletSettings;
}

/** What has to be read from the host before anything else. */
async function prepare(
  client: KubeClient,
  options: ManagerOptions,
  environment: Environment,
  signal: AbortSignal,
): Promise<Start> {
  const kubeSystem = await client.get(namespaces, { name: 'kube-system' }, { signal });
  const addresses = await resolveKubeletAddresses(
    client,
    {
      addresses: options.kubeletAddress,
      service: options.kubeletService ?? '',
      podAddresses: (environment['POD_IPS'] ?? '').split(',').filter((address) => address !== ''),
    },
    signal,
  );
  await ensureNamespace(client, options.leaseNamespace, signal);
  return {
    hostClusterUid: kubeSystem.metadata?.uid ?? '',
    kubelet: {
      addresses,
      ports: { first: options.kubeletPort, count: options.kubeletPortCount },
      listenAddress: options.kubeletListenAddress,
      certificates: options.kubeletServingCertificates,
      namespace: options.leaseNamespace,
      lingerMs: options.kubeletService === undefined ? 0 : SERVICE_LINGER_MS,
    },
  };
}

async function ensureNamespace(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  try {
    await client.get(namespaces, { name }, { signal });
    return;
  } catch (error) {
    if (!isNotFound(error) && !isForbidden(error)) throw error;
  }
  try {
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { signal });
  } catch (error) {
    // An installation that made it need not let us make any.
    if (!isAlreadyExists(error) && !isForbidden(error)) throw error;
  }
}

/** Undefined when the signal aborts first. Errors that waiting can't cure are thrown. */
async function untilReachable<T>(
  attempt: () => Promise<T>,
  logger: Logger,
  signal: AbortSignal,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof FederationError && error.retry === 'never') throw error;
      logger.warn('the host cluster can not be used yet', { error: errorMessage(error) });
      await clock.sleep(START_RETRY_MS, signal).catch(() => undefined);
    }
  }
  return undefined;
}

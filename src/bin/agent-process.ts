import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { Agent } from '../clusterlink/agent/agent.js';
import { AgentMetrics, type AgentSnapshot } from '../clusterlink/agent/agent-metrics.js';
import { ApiConfigSource, type ConfigSource, FileConfigSource } from '../clusterlink/agent/config-source.js';
import { DEFAULT_ROUTE_PROTOCOL, ownershipOf } from '../clusterlink/agent/desired.js';
import { Heartbeat } from '../clusterlink/agent/heartbeat.js';
import { keepSmall } from '../clusterlink/agent/memory.js';
import { NetlinkKernel } from '../clusterlink/agent/kernel.js';
import { NetworkMonitor } from '../clusterlink/agent/monitor.js';
import { loadLibc } from '../clusterlink/agent/netlink/libc.js';
import { NodeNetwork } from '../clusterlink/agent/network.js';
import { NftProgram } from '../clusterlink/agent/nftables/nft.js';
import { Prober } from '../clusterlink/agent/probe/prober.js';
import { StateStore } from '../clusterlink/agent/state-store.js';
import { StatusPublisher } from '../clusterlink/agent/status-publisher.js';
import { apiStatusWriter, fileStatusWriter, type StatusWriter } from '../clusterlink/agent/status-writer.js';
import { systemSysctls } from '../clusterlink/agent/sysctl.js';
import { distinctNodeObjectName, nodeObjectName } from '../clusterlink/planner/object-names.js';
import type { ClusterAccess } from '../kube/cluster-access.js';
import { createKubeClient } from '../kube/http-client.js';
import { inClusterAccess } from '../kube/in-cluster.js';
import { Informer } from '../kube/informer.js';
import { parseKubeconfig } from '../kube/kubeconfig.js';
import { nodeConfigs } from '../kube/kosmos-resources.js';
import { createTransport } from '../kube/transport.js';
import { systemClock as clock, systemRandom as random } from '../lib/clock.js';
import { errorMessage } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { HealthServer } from '../runtime/health-server.js';
import { nodeNameOf, type AgentOptions } from './agent-options.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** An agent has one object to watch and one status to write. */
const CONNECTIONS = 3;

/** Where the config comes from, where the status goes, and what has to be closed in the end. */
interface Ends {
  readonly source: ConfigSource;
  readonly writer: StatusWriter;
  /** Tells others that the agent is alive, until the signal aborts. */
  beat(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Keeps the node's network as its NodeConfig says, until the signal aborts. */
export async function runAgent(
  options: AgentOptions,
  environment: Environment,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  preferMe(logger);
  const libc = await loadLibc();
  const kernel = new NetlinkKernel(libc, clock);
  const store = new StateStore(options.stateDir, logger);
  const ends =
    options.nodeConfig === undefined ? apiEnds(options, environment, logger) : fileEnds(options.nodeConfig, logger);
  const { source, writer } = ends;
  const network = new NodeNetwork({
    kernel,
    nftables: new NftProgram(options.nft),
    sysctls: systemSysctls(options.sysctlDir),
    store,
  });
  const publisher = new StatusPublisher({ writer, clock, logger });
  const prober = new Prober({ port: options.probePort, clock, random, logger, onChange: () => agent.nudge() });
  const look = (): AgentSnapshot => {
    const links = kernel.links({ statistics: true });
    return { peers: prober.report(), links, devices: agent.interest.names, configKnown: source.known() };
  };
  const metrics = new AgentMetrics(look, { processMetrics: true });
  const observer = metrics.observer();
  const agent = new Agent({ kernel, network, source, store, prober, publisher, observer, clock, logger });
  const monitor = new NetworkMonitor({
    ...{ libc, clock },
    interest: () => agent.interest,
    onChange: (change) => agent.kernelChanged(change),
  });
  const health = new HealthServer({
    ...{ address: options.healthAddress, port: options.healthPort, clock, logger, metrics },
  });
  health.addCheck('network', ['readyz'], () => {
    if (!agent.applied) throw new Error('no config was applied yet');
  });
  await health.listen();
  try {
    await Promise.all([
      source.run(signal, () => agent.nudge()),
      monitor.run(signal),
      prober.run(signal),
      publisher.run(signal),
      ends.beat(signal),
      agent.run(signal),
      keepSmall(() => libc.trim(), clock, signal),
    ]);
  } finally {
    await Promise.all([health.close(), ends.close()]);
    kernel.close();
  }
}

/** On a node that is too busy, other nodes would take this one for dead: answering them can't wait for pods' work. */
function preferMe(logger: Logger): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGH);
  } catch (error) {
    logger.info('running without a higher priority', { error: errorMessage(error) });
  }
}

/** Takes away all that the agent has made, and gives settings their old values. Rejects when something is left. */
export async function uninstallAgent(options: AgentOptions, _environment: Environment, logger: Logger): Promise<void> {
  const kernel = new NetlinkKernel(await loadLibc(), clock);
  const store = new StateStore(options.stateDir, logger);
  const network = new NodeNetwork({
    kernel,
    nftables: new NftProgram(options.nft),
    sysctls: systemSysctls(options.sysctlDir),
    store,
  });
  const spec = store.config()?.spec;
  try {
    const errors = await network.remove(spec === undefined ? DEFAULT_ROUTE_PROTOCOL : ownershipOf(spec).protocol);
    if (errors.length > 0) throw new Error(`not everything could be taken away: ${errors.join('; ')}`);
    store.clear();
    logger.info('the network is as it was');
  } finally {
    kernel.close();
  }
}

function fileEnds(path: string, logger: Logger): Ends {
  return {
    source: new FileConfigSource(path, clock, logger),
    writer: fileStatusWriter(`${path}.status`),
    beat: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function apiEnds(options: AgentOptions, environment: Environment, logger: Logger): Ends {
  const transport = createTransport({ access: accessOf(options, environment), connections: CONNECTIONS, clock });
  const client = createKubeClient(transport, { cluster: 'own', clock });
  const clusterName = options.clusterName ?? environment['CLUSTER_NAME'] ?? '';
  const nodeName = nodeNameOf(options, environment);
  const names = [nodeObjectName(clusterName, nodeName), distinctNodeObjectName(clusterName, nodeName)];
  const informers = names.map(
    (name) =>
      new Informer({ client, type: nodeConfigs, fieldSelector: `metadata.name=${name}`, clock, random, logger }),
  );
  const source = new ApiConfigSource(informers, { clusterName, nodeName });
  const heartbeat = new Heartbeat({
    ...{ client, namespace: options.leaseNamespace, nodeName, clock, logger },
    current: () => source.current(),
  });
  return {
    source,
    writer: apiStatusWriter(client),
    beat: (signal) => heartbeat.run(signal),
    close: () => transport.close(),
  };
}

function accessOf({ kubeconfig }: AgentOptions, environment: Environment): ClusterAccess {
  if (kubeconfig === undefined) return inClusterAccess({ environment, clock });
  return parseKubeconfig(readFileSync(kubeconfig, 'utf8'), { allowFiles: true, environment, clock });
}

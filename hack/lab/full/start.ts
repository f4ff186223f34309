import type { BootRequest } from '../boot.js';
import { startControlPlane, watched, waitForServiceAccounts } from '../boot.js';
import { processName, programPath } from '../control-plane.js';
import { addRoute } from '../network.js';
import type { NodePlan } from '../plan.js';
import { run, waitFor } from '../run.js';
import { createCgroup } from './cgroups.js';
import { containerdSpec, importImages } from './containerd.js';
import { dnsManifests } from './dns.js';
import { ensureImages } from './images.js';
import { kubeProxySpec } from './kube-proxy.js';
import { kubeletSpec } from './kubelet.js';
import { allowWatches } from './limits.js';
import { podRoutes, prepareForwarding, writeNetworkConfig } from './node-network.js';

const NODE_LIMIT_MS = 120_000;

async function kubeletVersion(kubelet: string): Promise<string> {
  return (await run(kubelet, ['--version'])).stdout.trim().replace('Kubernetes ', '');
}

async function startContainerRuntime(request: BootRequest, node: NodePlan, archive: string): Promise<void> {
  await prepareForwarding(request.plan, node);
  createCgroup(node.cgroup);
  const runtime = await request.supervisor.start(await containerdSpec(request.plan, node, request.binaries));
  await watched(`${node.name}: containerd`, runtime.logFile, () => importImages(node, request.binaries, archive));
}

async function startNodeAgents(request: BootRequest, node: NodePlan): Promise<void> {
  const { plan, binaries, supervisor } = request;
  const nodeRequest = { plan, node, binaries, extraArgs: request.config.extraArgs };
  const version = await kubeletVersion(programPath(binaries, 'kubelet'));
  await supervisor.start(await kubeletSpec(nodeRequest, version));
  await supervisor.start(await kubeProxySpec(nodeRequest));
}

/** The ranges that the controller manager has given to a node, as soon as the node has registered. */
async function podSubnets(request: BootRequest, node: NodePlan): Promise<readonly string[]> {
  const { cluster, supervisor, plan } = request;
  const kubelet = processName(plan.name, 'kubelet', plan.machines.indexOf(node) + 1);
  const probe = async (): Promise<readonly string[] | undefined> => {
    const object = (await cluster.api.json('GET', `/api/v1/nodes/${node.name}`)) as {
      spec: { podCIDRs?: readonly string[] };
    };
    return object.spec.podCIDRs;
  };
  const check = (): void => supervisor.assertRunning(kubelet);
  return watched(`${node.name}: kubelet`, supervisor.logFile(kubelet), () =>
    waitFor(`pod CIDR of ${node.name}`, probe, { timeoutMs: NODE_LIMIT_MS, check }),
  );
}

async function connectNodes(request: BootRequest): Promise<void> {
  const { plan } = request;
  const subnets = new Map<string, readonly string[]>();
  for (const node of plan.machines) subnets.set(node.name, await podSubnets(request, node));
  for (const node of plan.machines) {
    for (const route of podRoutes(plan, node, subnets)) await addRoute(node.namespace, route.destination, route.via);
    await writeNetworkConfig(node, subnets.get(node.name) ?? []);
  }
}

async function startDns(request: BootRequest): Promise<void> {
  const { cluster, plan } = request;
  const manifests = JSON.stringify(dnsManifests(plan.ranges.dnsServiceAddress));
  await cluster.kubectl(['apply', '-f', '-'], { input: manifests });
  const seconds = NODE_LIMIT_MS / 1000;
  const rollout = ['--namespace', 'kube-system', 'rollout', 'status', 'deployment/coredns', `--timeout=${seconds}s`];
  await watched(`${plan.name}: coredns`, cluster.logFile('kubelet'), () =>
    cluster.kubectl(rollout, { timeoutMs: NODE_LIMIT_MS + 5_000 }),
  );
}

/** Starts a cluster with real nodes; resolves when they are Ready and the cluster's DNS answers. */
export async function startFullCluster(request: BootRequest, log: (line: string) => void): Promise<void> {
  const { plan, cluster } = request;
  allowWatches();
  const archive = await ensureImages(programPath(request.binaries, 'coredns'), log);
  await Promise.all([
    startControlPlane(request),
    ...plan.machines.map((node) => startContainerRuntime(request, node, archive)),
  ]);
  await Promise.all(plan.machines.map((node) => startNodeAgents(request, node)));
  await connectNodes(request);
  await waitForServiceAccounts(request);
  await watched(`${plan.name}: nodes`, cluster.logFile('kubelet'), () =>
    cluster.waitForNodes(
      plan.machines.map((node) => node.name),
      NODE_LIMIT_MS,
    ),
  );
  await startDns(request);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from '../binaries.js';
import { clusterFiles, processName, programPath } from '../control-plane.js';
import type { ClusterPlan, NodePlan } from '../plan.js';
import { run, waitFor } from '../run.js';
import type { ProcessSpec } from '../state.js';
import { LAB_IMAGES } from './images.js';

const READY_LIMIT_MS = 30_000;
const IMPORT_LIMIT_MS = 180_000;

/** The socket of a node's container runtime. */
export function containerdSocket(node: NodePlan): string {
  return join(node.runtimeDirectory, 'containerd.sock');
}

/** Folder of the network configuration that the container runtime watches. */
export function networkConfigDirectory(node: NodePlan): string {
  return join(node.directory, 'cni');
}

/** The configuration of a node's container runtime: whatever it writes is in the node's own folders. */
export function containerdConfig(node: NodePlan, shimFolder: string): string {
  const quote = (text: string): string => JSON.stringify(text);
  const runtime = "plugins.'io.containerd.cri.v1.runtime'";
  return [
    'version = 3',
    `root = ${quote(join(node.directory, 'containerd'))}`,
    `state = ${quote(join(node.runtimeDirectory, 'containerd'))}`,
    '[grpc]',
    `address = ${quote(containerdSocket(node))}`,
    "[plugins.'io.containerd.cri.v1.images'.pinned_images]",
    `sandbox = ${quote(LAB_IMAGES.pause)}`,
    `[${runtime}]`,
    // Machines without CAP_SYS_RESOURCE can't lower the score, and every container would fail.
    'restrict_oom_score_adj = true',
    'netns_mounts_under_state_dir = true',
    `[${runtime}.containerd.runtimes.runc]`,
    "runtime_type = 'io.containerd.runc.v2'",
    `runtime_path = ${quote(shimFolder)}`,
    `[${runtime}.containerd.runtimes.runc.options]`,
    'SystemdCgroup = false',
    `Root = ${quote(join(node.runtimeDirectory, 'runc'))}`,
    `[${runtime}.cni]`,
    "bin_dirs = ['/usr/lib/cni']",
    // The loopback plugin would keep files in /var/lib that don't tell whose they are.
    'use_internal_loopback = true',
    `conf_dir = ${quote(networkConfigDirectory(node))}`,
    "[plugins.'io.containerd.shim.v1.manager']",
    `socket_dir = ${quote(join(node.runtimeDirectory, 's'))}`,
    "[plugins.'io.containerd.internal.v1.opt']",
    `path = ${quote(join(node.directory, 'opt'))}`,
    "[plugins.'io.containerd.nri.v1.nri']",
    'disable = true',
    '',
  ].join('\n');
}

/** Writes the configuration and says how to run the container runtime of a node. */
export async function containerdSpec(plan: ClusterPlan, node: NodePlan, binaries: Binaries): Promise<ProcessSpec> {
  const config = join(node.directory, 'containerd.toml');
  await mkdir(networkConfigDirectory(node), { recursive: true });
  await mkdir(node.runtimeDirectory, { recursive: true });
  await writeFile(config, containerdConfig(node, programPath(binaries, 'containerd-shim-runc-v2')));
  const machine = plan.machines.indexOf(node) + 1;
  return {
    name: processName(plan.name, 'containerd', machine),
    namespace: node.namespace,
    command: programPath(binaries, 'containerd'),
    args: ['--config', config],
    logFile: join(clusterFiles(plan.directory).logs, `containerd-${machine}.log`),
  };
}

/** Loads the images of the lab into a node's container runtime as soon as it runs. */
export async function importImages(node: NodePlan, binaries: Binaries, archive: string): Promise<void> {
  const ctr = programPath(binaries, 'ctr');
  const address = ['--address', containerdSocket(node), '--namespace', 'k8s.io'];
  const version = async (): Promise<true> => {
    await run(ctr, [...address, 'version'], { timeoutMs: 5_000 });
    return true;
  };
  await waitFor(`container runtime of ${node.name}`, version, { timeoutMs: READY_LIMIT_MS });
  await run(ctr, [...address, 'images', 'import', archive], { timeoutMs: IMPORT_LIMIT_MS });
}

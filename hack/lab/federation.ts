import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from './lab.js';
import { isReady, type LabCluster } from './cluster.js';
import { nodeFlagsOf } from './node-flags.js';
import { REPOSITORY } from './paths.js';
import { waitFor } from './run.js';
import type { LabProcess } from './supervisor.js';

/** Options of {@link startManager}. */
export interface ManagerOptions {
  /** Where it runs: the root namespace or one of the lab's. @default 'root' */
  readonly where?: string;
  /** Further command-line flags. */
  readonly args?: readonly string[];
  /** @default the host's admin kubeconfig */
  readonly kubeconfig?: string;
  readonly logFile?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of node itself. */
  readonly nodeArgs?: readonly string[];
}

const CRD_FOLDER = 'crds';
const CRD_FILES = ['kosmos.io_clusters.yaml', 'kosmos.io_clusternodes.yaml', 'kosmos.io_nodeconfigs.yaml'];

/** Applies the CRDs to a cluster, by default the host, and waits until they are served. */
export async function applyCrds(lab: Lab, cluster: LabCluster = lab.host): Promise<void> {
  for (const file of CRD_FILES) {
    const input = await readFile(join(REPOSITORY, CRD_FOLDER, file), 'utf8');
    await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input });
  }
  // "kubectl wait" fails on a CRD that has no status yet.
  const list = (): Promise<unknown> => cluster.api.json('GET', '/apis/kosmos.io/v1alpha1/clusters');
  await waitFor('the CRDs are served', list, { timeoutMs: 30_000 });
}

/** Starts `kosmos-manager` for a lab; the lab's `down` ends it, if nobody else does. */
export async function startManager(lab: Lab, options: ManagerOptions = {}): Promise<LabProcess> {
  const where = options.where ?? 'root';
  const address = where === 'client' ? lab.clientAddress : lab.hostAddress;
  const program = join(REPOSITORY, 'dist/src/bin/manager.js');
  const args = [
    ...['--enable-source-maps', ...nodeFlagsOf(program), ...(options.nodeArgs ?? []), program],
    ...['--kubeconfig', options.kubeconfig ?? lab.host.kubeconfigPath],
    ...['--kubelet-address', address, '--kubelet-listen-address', address, '--health-port', '0'],
    ...(options.args ?? []),
  ];
  return lab.spawnIn(where, process.execPath, args, {
    ...(options.logFile !== undefined && { logFile: options.logFile }),
    ...(options.env !== undefined && { env: options.env }),
  });
}

/** Options of {@link joinMember}. */
export interface JoinOptions {
  /** Name of the Cluster. @default the member's */
  readonly name?: string;
  readonly clusterTreeOptions?: object;
  /** Links the cluster's network. @default it is not linked */
  readonly clusterLinkOptions?: object;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Text of a kubeconfig. @default the member's admin kubeconfig */
  readonly kubeconfig?: string;
}

/** The Cluster object that joins a member. */
export async function clusterManifest(member: LabCluster, options: JoinOptions = {}): Promise<object> {
  const kubeconfig = options.kubeconfig ?? (await readFile(member.kubeconfigPath, 'utf8'));
  return {
    apiVersion: 'kosmos.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: options.name ?? member.name, annotations: options.annotations ?? {} },
    spec: {
      kubeconfig: Buffer.from(kubeconfig).toString('base64'),
      clusterTreeOptions: { enable: true, ...options.clusterTreeOptions },
      ...(options.clusterLinkOptions !== undefined && { clusterLinkOptions: options.clusterLinkOptions }),
    },
  };
}

/** Applies the Cluster object of a member, without waiting for anything. */
export async function joinMember(lab: Lab, member: LabCluster, options: JoinOptions = {}): Promise<void> {
  const input = JSON.stringify(await clusterManifest(member, options));
  await lab.host.kubectl(['apply', '-f', '-'], { input });
}

interface Named {
  readonly metadata: { readonly name: string };
}

/** Resolves when the condition `Ready` of the Clusters is True and their virtual nodes are Ready. */
export async function waitForMembers(lab: Lab, names: readonly string[], timeoutMs = 60_000): Promise<void> {
  const list = async (path: string): Promise<readonly Named[]> =>
    ((await lab.host.api.json('GET', path)) as { items: readonly Named[] }).items;
  await waitFor(
    `members ${names.join(', ')} ready`,
    async () => {
      const clusters = await list('/apis/kosmos.io/v1alpha1/clusters');
      const nodes = await list('/api/v1/nodes?labelSelector=kosmos.io/node%3Dtrue');
      const ready = clusters.filter(isReady).map(({ metadata }) => metadata.name);
      return names.every((name) => ready.includes(name)) && nodes.length > 0 && nodes.every(isReady) ? true : undefined;
    },
    { timeoutMs, intervalMs: 250 },
  );
}

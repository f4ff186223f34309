import type { Binaries } from './binaries.js';
import type { LabCluster } from './cluster.js';
import { controlPlaneSpec, createCredentials, processName } from './control-plane.js';
import { defaultKwokNodes, kwokSpec } from './kwok.js';
import type { LabConfig } from './options.js';
import type { ClusterPlan } from './plan.js';
import { waitFor } from './run.js';
import { logTail, type Supervisor } from './supervisor.js';

const READY_LIMIT_MS = 120_000;

/** What starting a cluster needs. */
export interface BootRequest {
  readonly plan: ClusterPlan;
  readonly config: LabConfig;
  readonly binaries: Binaries;
  readonly supervisor: Supervisor;
  readonly cluster: LabCluster;
  /** Addresses outside the cluster under which its API server may be reached too, through a proxy. */
  readonly proxyAddresses: readonly string[];
}

/** Names what failed, with the end of that component's log. */
export async function watched<T>(component: string, logFile: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${component} didn't start: ${why}\nthe end of ${logFile}:\n${logTail(logFile)}`, { cause: error });
  }
}

/** Starts etcd, the API server and what needs it; resolves when pods could be created. */
export async function startControlPlane(request: BootRequest): Promise<void> {
  const { plan, config, binaries, supervisor, cluster } = request;
  await createCredentials(plan, request.proxyAddresses);
  const spec = (component: Parameters<typeof controlPlaneSpec>[0]) =>
    controlPlaneSpec(component, plan, binaries, config.extraArgs);
  await supervisor.start(spec('etcd'));
  await supervisor.start(spec('kube-apiserver'));
  await watched(
    `${plan.name}: kube-apiserver`,
    supervisor.logFile(processName(plan.name, 'kube-apiserver')),
    async () => {
      const check = (): void => supervisor.assertRunning(processName(plan.name, 'etcd'));
      check();
      await cluster.waitForApiServer(READY_LIMIT_MS);
    },
  );
  await supervisor.start(spec('kube-controller-manager'));
  await supervisor.start(spec('kube-scheduler'));
}

/** Resolves when pods can be created in the default namespace. */
export async function waitForServiceAccounts(request: BootRequest): Promise<void> {
  const { plan, supervisor, cluster } = request;
  const check = (): void => {
    supervisor.assertRunning(processName(plan.name, 'kube-controller-manager'));
    supervisor.assertRunning(processName(plan.name, 'kube-scheduler'));
  };
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  await watched(`${plan.name}: kube-controller-manager`, cluster.logFile('kube-controller-manager'), () =>
    waitFor('default service account', () => cluster.api.json('GET', account), { timeoutMs: READY_LIMIT_MS, check }),
  );
}

/** Starts a light cluster; resolves when its KWOK nodes are Ready. */
export async function startLightCluster(request: BootRequest): Promise<void> {
  const { plan, config, binaries, supervisor, cluster } = request;
  await startControlPlane(request);
  await supervisor.start(kwokSpec(plan, binaries, config.extraArgs));
  await watched(`${plan.name}: kwok`, cluster.logFile('kwok'), () =>
    cluster.addKwokNodes(defaultKwokNodes(plan.name, plan.kwokNodes), READY_LIMIT_MS),
  );
  supervisor.assertRunning(processName(plan.name, 'kwok'));
  await waitForServiceAccounts(request);
}

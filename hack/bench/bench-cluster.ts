import { readFileSync } from 'node:fs';
import type { KubeClient } from '../../src/kube/client.js';
import { createKubeClient } from '../../src/kube/http-client.js';
import { parseKubeconfig } from '../../src/kube/kubeconfig.js';
import { createTransport } from '../../src/kube/transport.js';
import type { LabCluster } from '../lab/cluster.js';
import { PodWatch } from './pod-watch.js';

/** A cluster of the lab as the benchmark uses it. */
export interface BenchCluster {
  readonly name: string;
  readonly lab: LabCluster;
  readonly client: KubeClient;
  readonly watch: PodWatch;
}

/** Connects to a cluster and starts to watch its pods. */
export async function openCluster(lab: LabCluster, signal: AbortSignal): Promise<BenchCluster> {
  const access = parseKubeconfig(readFileSync(lab.kubeconfigPath, 'utf8'), { allowFiles: true });
  const client = createKubeClient(createTransport({ access, qps: 10_000, burst: 10_000 }));
  const watch = new PodWatch(lab.name, client);
  await watch.start(signal);
  return { name: lab.name, lab, client, watch };
}

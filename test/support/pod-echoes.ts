import { join } from 'node:path';
import { REPOSITORY } from '../../hack/lab/paths.js';
import { run } from '../../hack/lab/run.js';
import { eventually } from './eventually.js';
import type { LinkedLab, LinkedPod } from './linked-lab.js';

/** Where every pod sends back what comes by UDP. */
export const ECHO_PORT = 8890;
/** Fits into every tunnel. */
export const ECHO_BYTES = 1_200;
const AGENT = join(REPOSITORY, 'dist/src/bin/agent.js');
const CLIENT = join(REPOSITORY, 'dist/test/netns/programs/client.js');

/** Starts the agent's floater in the network of every pod; the pods' own image has nothing that speaks UDP. */
export async function startEchoes(lab: LinkedLab, pods: readonly LinkedPod[]): Promise<void> {
  for (const pod of pods) {
    const command = [process.execPath, AGENT, 'floater', '--node-name', pod.node];
    await lab.federation.lab.spawnIn('root', 'nsenter', [networkOf(pod), ...command]);
  }
  for (const pod of pods) await eventually(() => echo(pod, pod.ips));
}

/** Sends a datagram from a pod to each address. Rejects unless each of them comes back as it was. */
export async function echo(from: LinkedPod, addresses: readonly string[]): Promise<void> {
  const command = [process.execPath, CLIENT, 'udp', addresses.join(','), String(ECHO_PORT), String(ECHO_BYTES)];
  await run('nsenter', [networkOf(from), ...command]);
}

function networkOf({ pid }: LinkedPod): string {
  return `--net=/proc/${pid}/ns/net`;
}

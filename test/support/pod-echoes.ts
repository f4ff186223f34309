import { readdirSync, readlinkSync } from 'node:fs';
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

/** The agent's floater, in the network of every pod, and what asks it: the pods' own image has nothing that speaks UDP. */
export class PodEchoes {
  readonly #networks: ReadonlyMap<LinkedPod, string>;

  private constructor(networks: ReadonlyMap<LinkedPod, string>) {
    this.#networks = networks;
  }

  static async start(lab: LinkedLab, pods: readonly LinkedPod[]): Promise<PodEchoes> {
    const networks = await Promise.all(pods.map(async (pod) => [pod, await networkOf(lab, pod)] as const));
    for (const [pod, network] of networks) {
      const command = [process.execPath, AGENT, 'floater', '--node-name', pod.node];
      await lab.federation.lab.spawnIn('root', 'nsenter', [`--net=${network}`, ...command]);
    }
    const echoes = new PodEchoes(new Map(networks));
    for (const pod of pods) await eventually(() => echoes.echo(pod, pod.ips));
    return echoes;
  }

  /** Sends a datagram from a pod to each address. Rejects unless each of them comes back as it was. */
  async echo(from: LinkedPod, addresses: readonly string[]): Promise<void> {
    const network = this.#networks.get(from) ?? '';
    const command = [process.execPath, CLIENT, 'udp', addresses.join(','), String(ECHO_PORT), String(ECHO_BYTES)];
    await run('nsenter', [`--net=${network}`, ...command]);
  }
}

/** The file of a pod's network namespace: that of any process which is in it. */
async function networkOf(lab: LinkedLab, pod: LinkedPod): Promise<string> {
  const { stdout } = await lab.inPod(pod, 'readlink', '/proc/self/ns/net');
  const files = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [`/proc/${name}/ns/net`] : []));
  const found = files.find((file) => linkOf(file) === stdout.trim());
  if (found === undefined) throw new Error(`no process is in the network of ${pod.name}`);
  return found;
}

/** Undefined when the process has ended meanwhile, or may not be looked at, as the first one of some machines. */
function linkOf(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined;
    throw error;
  }
}

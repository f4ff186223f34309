import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildImage } from '../image/build.js';
import { Lab } from '../lab/lab.js';
import { REPOSITORY } from '../lab/paths.js';
import { waitFor } from '../lab/run.js';

const PROGRAM = join(REPOSITORY, 'dist/src/bin/kosmosctl.js');
const MEMBERS = 2;
const REPLICAS = 6;
const WAIT = { timeoutMs: 60_000, intervalMs: 300 };

/** What somebody would do by hand, shown as it would be typed. */
export class FullDemo {
  readonly #lab: Lab;

  private constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Clusters with real nodes, Kosmos as pods in the host, two members, and something that runs in both. */
  static async run(step: (text: string) => void): Promise<void> {
    await Lab.down('default');
    step('An image with the programs, and three clusters with real kubelets and containers');
    const image = await buildImage();
    console.log(`${image.name} ${image.digest}`);
    const lab = await Lab.up({ members: MEMBERS, full: true, log: (line) => console.log(line) });
    try {
      // Managers run in the host, agents on all nodes.
      for (const { name } of lab.clusters) await lab.cluster(name).importImages(image.archive);
      await new FullDemo(lab).#walk(step);
    } finally {
      lab.close();
    }
  }

  async #walk(step: (text: string) => void): Promise<void> {
    step('Kosmos is installed into the host, and the members join; networks are linked');
    await this.#kosmosctl(['install']);
    for (const { name, kubeconfigPath } of this.#lab.members) {
      await this.#kosmosctl(['join', 'cluster', '--name', name, '--kubeconfig', kubeconfigPath, '--yes']);
    }
    await this.#kosmosctl(['get', 'clusters']);
    await this.#kubectl(['get', 'nodes']);
    step(`An ordinary Deployment of ${REPLICAS} replicas, spread over the members`);
    await this.#kubectl(['apply', '-f', 'examples/02-spread/deployment.yaml']);
    await this.#kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    await this.#kubectl(['get', 'pods', '-l', 'app=web', '-o', 'wide']);
    step('Why a pod is where it is, and whether all is well');
    await this.#kosmosctl(['explain', 'pod', await this.#settledPod()]);
    await this.#kosmosctl(['doctor']);
    console.log(`
The clusters are still running. Try:
  export KUBECONFIG=${this.#lab.host.kubeconfigPath}
  node dist/src/bin/kosmosctl.js get nodes
  node dist/src/bin/kosmosctl.js unjoin cluster member1
  node dist/src/bin/kosmosctl.js uninstall --all --verify
  hack/demo.sh down        removes everything`);
  }

  /** Name of one of the pods, once it is ready in the eyes of the host. */
  #settledPod(): Promise<string> {
    const ready = 'jsonpath={.items[?(@.status.containerStatuses[0].ready==true)].metadata.name}';
    const args = ['get', 'pods', '-l', 'app=web', '-o', ready];
    return waitFor(
      'a ready pod',
      async () => (await this.#lab.host.kubectl(args)).stdout.split(' ').find((name) => name !== ''),
      WAIT,
    );
  }

  async #kubectl(args: readonly string[]): Promise<void> {
    console.log(`\n$ kubectl ${args.join(' ')}`);
    process.stdout.write((await this.#lab.host.kubectl(args, { cwd: REPOSITORY, timeoutMs: 90_000 })).stdout);
  }

  async #kosmosctl(args: readonly string[]): Promise<void> {
    console.log(`\n$ kosmosctl ${args.join(' ')}`);
    const env = { ...process.env, KUBECONFIG: this.#lab.host.kubeconfigPath };
    const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] });
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve(status ?? 1));
    });
    if (code !== 0) throw new Error(`kosmosctl ${args.join(' ')} ended with ${code}`);
  }
}

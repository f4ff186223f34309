import { buildImage } from '../image/build.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/run.js';
import { show, showFederating, showKosmosctl, step } from './show.js';
import { changeWorkload, startWorkload } from './workload.js';

const MEMBERS = 2;
const WAIT = { timeoutMs: 60_000, intervalMs: 300 };

/**
 * What somebody would do by hand: clusters with real nodes, Kosmos as pods in the host, two members whose networks are
 * linked with it, and something that runs in both.
 */
export async function runFullDemo(): Promise<void> {
  await Lab.down('default');
  step('An image with the programs, and three clusters with real kubelets and containers');
  const image = await buildImage();
  console.log(`${image.name} ${image.digest}`);
  const lab = await Lab.up({ members: MEMBERS, full: true, log: (line) => console.log(line) });
  try {
    // Managers run in the host, agents on all nodes.
    for (const cluster of lab.clusters) await cluster.importImages(image.archive);
    await walk(lab);
    farewell(lab);
  } finally {
    lab.close();
  }
}

async function walk(lab: Lab): Promise<void> {
  step('Kosmos is installed into the host, and the members join; networks are linked');
  await showFederating(lab);
  await showKosmosctl(lab, ['get', 'clusters']);
  await show(lab, 'host', ['get', 'nodes']);
  await startWorkload(lab);
  step('Why a pod is where it is, and whether all is well, the network included');
  await showKosmosctl(lab, ['explain', 'pod', await settledPod(lab)]);
  const kubeconfigs = lab.members.map(({ name, kubeconfigPath }) => `--member-kubeconfig=${name}=${kubeconfigPath}`);
  await showKosmosctl(lab, ['check', ...kubeconfigs]);
  await changeWorkload(lab);
}

/** Name of one of the pods, once it is ready in the eyes of the host. */
function settledPod(lab: Lab): Promise<string> {
  const ready = 'jsonpath={.items[?(@.status.containerStatuses[0].ready==true)].metadata.name}';
  const args = ['get', 'pods', '-l', 'app=web', '-o', ready];
  return waitFor(
    'a ready pod',
    async () => (await lab.host.kubectl(args)).stdout.split(' ').find((name) => name !== ''),
    WAIT,
  );
}

function farewell(lab: Lab): void {
  console.log(`
The clusters are still running. Try:
  export KUBECONFIG=${lab.host.kubeconfigPath.replace(`${process.cwd()}/`, '')}
  kubectl apply -f examples/02-spread/deployment.yaml
  node dist/src/bin/kosmosctl.js get nodes
  node dist/src/bin/kosmosctl.js doctor
  node dist/src/bin/kosmosctl.js uninstall --all --verify
  hack/demo.sh status
  hack/demo.sh down        removes everything`);
}

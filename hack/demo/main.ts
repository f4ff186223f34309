import { join } from 'node:path';
import { FullDemo } from './full.js';
import { applyCrds, joinMember, startManager, waitForMembers } from '../lab/federation.js';
import { Lab } from '../lab/lab.js';
import { REPOSITORY } from '../lab/paths.js';
import { waitFor } from '../lab/run.js';

const MEMBERS = 2;
const MANIFEST = 'examples/02-spread/deployment.yaml';
const WAIT = { timeoutMs: 60_000, intervalMs: 300 };

/** Shows a command as a user would type it, runs it, and shows what it printed. */
async function show(lab: Lab, cluster: string, args: readonly string[]): Promise<string> {
  console.log(`\n$ hack/lab.sh kubectl ${cluster} ${args.join(' ')}`);
  const { stdout } = await lab.cluster(cluster).kubectl([...args]);
  process.stdout.write(stdout);
  return stdout;
}

function step(text: string): void {
  console.log(`\n=== ${text}`);
}

/** Names of the ready pods that run what the Deployment asks for, by cluster. */
async function readyPods(lab: Lab, cluster: string): Promise<string[]> {
  const path =
    'jsonpath={range .items[?(@.status.phase=="Running")]}{.metadata.name} ' +
    '{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  const { stdout } = await lab.cluster(cluster).kubectl(['get', 'pods', '-l', 'app=web', '-o', path]);
  return stdout.split('\n').flatMap((line) => (line.endsWith(' True') ? (line.split(' ')[0] ?? '') : []));
}

async function waitForPods(lab: Lab, count: number): Promise<void> {
  await lab.host.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
  await waitFor(
    `${count} ready pods in the host, ${count / MEMBERS} in each member`,
    async () => {
      const inHost = await readyPods(lab, 'host');
      const inMembers = await Promise.all(lab.members.map(({ name }) => readyPods(lab, name)));
      const even = inMembers.every((names) => names.length === count / MEMBERS);
      return inHost.length === count && even ? true : undefined;
    },
    WAIT,
  );
}

async function showPods(lab: Lab): Promise<void> {
  const wide = 'custom-columns=NAME:.metadata.name,STATUS:.status.phase,IP:.status.podIP,NODE:.spec.nodeName';
  await show(lab, 'host', ['get', 'pods', '-l', 'app=web', '-o', 'wide']);
  for (const { name } of lab.members) await show(lab, name, ['get', 'pods', '-l', 'app=web', '-o', wide]);
}

async function up(): Promise<void> {
  await Lab.down('default');
  step(`A host cluster and ${MEMBERS} member clusters from real Kubernetes binaries`);
  const lab = await Lab.up({ members: MEMBERS, log: (line) => console.log(line) });
  try {
    await walk(lab);
  } finally {
    lab.close();
  }
}

async function walk(lab: Lab): Promise<void> {
  step('The manager starts, and the members join');
  await applyCrds(lab);
  await startManager(lab);
  for (const member of lab.members) await joinMember(lab, member);
  await waitForMembers(
    lab,
    lab.members.map(({ name }) => name),
  );
  await show(lab, 'host', ['get', 'clusters']);
  await show(lab, 'host', ['get', 'nodes', '-o', 'wide']);

  step('An ordinary Deployment of 6 replicas, spread over the clusters');
  const manifest = join(REPOSITORY, MANIFEST);
  console.log(`\n$ hack/lab.sh kubectl host apply -f ${MANIFEST}`);
  process.stdout.write((await lab.host.kubectl(['apply', '-f', manifest])).stdout);
  await waitForPods(lab, 6);
  await showPods(lab);

  step('Scaling arrives in the members');
  await show(lab, 'host', ['scale', 'deployment/web', '--replicas=8']);
  await waitForPods(lab, 8);
  await showPods(lab);

  step('So does a rolling update');
  await show(lab, 'host', ['set', 'image', 'deployment/web', 'web=registry.k8s.io/pause:3.10']);
  await waitForPods(lab, 8);
  const image = 'custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image,STATUS:.status.phase';
  for (const { name } of lab.members) await show(lab, name, ['get', 'pods', '-l', 'app=web', '-o', image]);

  step('And so does deletion');
  await show(lab, 'host', ['delete', 'deployment/web']);
  await waitFor('no pod left anywhere', async () => ((await podCount(lab)) === 0 ? true : undefined), WAIT);
  for (const { name } of lab.clusters) await show(lab, name, ['get', 'pods', '--all-namespaces']);
  farewell(lab);
}

async function podCount(lab: Lab): Promise<number> {
  const lists = await Promise.all(
    lab.clusters.map((cluster) => cluster.kubectl(['get', 'pods', '-A', '-l', 'app=web', '-o', 'name'])),
  );
  return lists.reduce((sum, { stdout }) => sum + stdout.split('\n').filter((line) => line !== '').length, 0);
}

function farewell(lab: Lab): void {
  console.log(`
The clusters are still running. Try:
  hack/lab.sh kubectl host get nodes
  hack/lab.sh kubectl host apply -f ${MANIFEST}
  hack/lab.sh kubectl member1 get pods -A
  export KUBECONFIG=${lab.host.kubeconfigPath.replace(`${process.cwd()}/`, '')}
  hack/demo.sh status
  hack/demo.sh down        removes everything`);
}

async function status(): Promise<void> {
  const lab = Lab.open('default');
  try {
    for (const { name, pid, alive } of lab.processes()) console.log(`${alive ? 'running' : 'ended'}\t${pid}\t${name}`);
    await show(lab, 'host', ['get', 'clusters,nodes']);
    await show(lab, 'host', ['get', 'pods', '-A', '-o', 'wide']);
  } finally {
    lab.close();
  }
}

const commands: Record<string, () => Promise<void>> = {
  up,
  full: () => FullDemo.run(step),
  status,
  down: () => Lab.down('default'),
};
const command = commands[process.argv[2] ?? 'up'];
if (command === undefined) {
  console.error(`unknown command "${process.argv[2] ?? ''}"; choose one of ${Object.keys(commands).join(', ')}`);
  process.exitCode = 2;
} else {
  await command();
}

import { join } from 'node:path';
import type { Lab } from '../lab/lab.js';
import { REPOSITORY } from '../lab/paths.js';
import { waitFor } from '../lab/run.js';
import { show, step } from './show.js';

const MANIFEST = 'examples/02-spread/deployment.yaml';
const WAIT = { timeoutMs: 120_000, intervalMs: 300 };

/** Names of the ready pods that run what the Deployment asks for, by cluster. */
async function readyPods(lab: Lab, cluster: string): Promise<readonly string[]> {
  const path =
    'jsonpath={range .items[?(@.status.phase=="Running")]}{.metadata.name} ' +
    '{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  const { stdout } = await lab.cluster(cluster).kubectl(['get', 'pods', '-l', 'app=web', '-o', path]);
  return stdout.split('\n').flatMap((line) => (line.endsWith(' True') ? (line.split(' ')[0] ?? '') : []));
}

async function waitForPods(lab: Lab, count: number): Promise<void> {
  await lab.host.kubectl(['rollout', 'status', 'deployment/web', '--timeout=110s'], { timeoutMs: WAIT.timeoutMs });
  const share = count / lab.members.length;
  await waitFor(
    `${count} ready pods in the host, ${share} in each member`,
    async () => {
      const inHost = await readyPods(lab, 'host');
      const inMembers = await Promise.all(lab.members.map(({ name }) => readyPods(lab, name)));
      const even = inMembers.every((names) => names.length === share);
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

/** Starts an ordinary Deployment in the host, half of whose pods run in each of two members. */
export async function startWorkload(lab: Lab): Promise<void> {
  step('An ordinary Deployment of 6 replicas, spread over the clusters');
  console.log(`\n$ hack/lab.sh kubectl host apply -f ${MANIFEST}`);
  process.stdout.write((await lab.host.kubectl(['apply', '-f', join(REPOSITORY, MANIFEST)])).stdout);
  await waitForPods(lab, 6);
  await showPods(lab);
}

/** Scales it, changes its pods, and deletes it. */
export async function changeWorkload(lab: Lab): Promise<void> {
  step('Scaling arrives in the members');
  await show(lab, 'host', ['scale', 'deployment/web', '--replicas=8']);
  await waitForPods(lab, 8);
  await showPods(lab);

  step('So does a rolling update');
  await show(lab, 'host', ['set', 'env', 'deployment/web', 'RELEASE=2']);
  await waitForPods(lab, 8);
  // Kubernetes' own variables come first in a member.
  const value = '.spec.containers[0].env[?(@.name=="RELEASE")].value';
  const release = `custom-columns=NAME:.metadata.name,RELEASE:${value},STATUS:.status.phase`;
  for (const { name } of lab.members) await show(lab, name, ['get', 'pods', '-l', 'app=web', '-o', release]);

  step('And so does deletion');
  await show(lab, 'host', ['delete', 'deployment/web']);
  await waitFor('no pod left anywhere', async () => ((await podCount(lab)) === 0 ? true : undefined), WAIT);
  for (const { name } of lab.clusters) await show(lab, name, ['get', 'pods', '-A', '-l', 'app=web']);
}

async function podCount(lab: Lab): Promise<number> {
  const lists = await Promise.all(
    lab.clusters.map((cluster) => cluster.kubectl(['get', 'pods', '-A', '-l', 'app=web', '-o', 'name'])),
  );
  return lists.reduce((sum, { stdout }) => sum + stdout.split('\n').filter((line) => line !== '').length, 0);
}

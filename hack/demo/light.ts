import { applyCrds, joinMember, startManager, waitForMembers } from '../lab/federation.js';
import { Lab } from '../lab/lab.js';
import { show, step } from './show.js';
import { changeWorkload, startWorkload } from './workload.js';

const MEMBERS = 2;

/** The same on clusters whose nodes are played, with the manager as a process of this machine: in seconds. */
export async function runLightDemo(): Promise<void> {
  await Lab.down('default');
  step(`A host cluster and ${MEMBERS} member clusters from real Kubernetes binaries`);
  const lab = await Lab.up({ members: MEMBERS, log: (line) => console.log(line) });
  try {
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
    await startWorkload(lab);
    await changeWorkload(lab);
    farewell(lab);
  } finally {
    lab.close();
  }
}

function farewell(lab: Lab): void {
  console.log(`
The clusters are still running. Try:
  hack/lab.sh kubectl host get nodes
  hack/lab.sh kubectl host apply -f examples/02-spread/deployment.yaml
  hack/lab.sh kubectl member1 get pods -A
  export KUBECONFIG=${lab.host.kubeconfigPath.replace(`${process.cwd()}/`, '')}
  hack/demo.sh status
  hack/demo.sh down        removes everything`);
}

import { expect } from 'chai';
import { clusters } from '../../src/kube/kosmos-resources.js';
import { eventually } from '../support/eventually.js';
import { Federation } from '../support/federation.js';
import { deployments } from '../support/resources.js';
import { deployment } from '../support/workloads.js';

/** Building one takes minutes, so not every version is tried with every other. */
const PAIRS = [
  { host: '1.36.3', member: '1.34' },
  { host: '1.34', member: '1.36.3' },
  { host: '1.37', member: '1.34' },
  { host: '1.34', member: '1.37' },
];

for (const { host, member } of PAIRS) {
  describe(`a host of Kubernetes ${host} with a member of ${member}`, function () {
    this.timeout(3_600_000);
    let federation: Federation;

    before(async () => {
      const kubeVersions = { host, member1: member };
      federation = await Federation.start({ instance: 'versions', members: 1, kubeVersions });
    });

    after(async () => {
      await federation.down();
    });

    it('says which version the member has', async () => {
      const cluster = await federation.host.get(clusters, { name: 'member1' });
      expect(cluster.status?.kubernetesVersion).to.match(new RegExp(`^v${member.replaceAll('.', '\\.')}`));
    });

    it('runs, scales and removes a Deployment', async () => {
      const namespace = await federation.namespace('versions');
      await federation.host.create(deployments, deployment({ namespace, name: 'web', replicas: 3 }));
      for (const cluster of ['host', 'member1']) await federation.runningPods(cluster, namespace, 3);
      const ref = { namespace, name: 'web' };
      await federation.host.patch(deployments, ref, { spec: { replicas: 5 } }, { type: 'merge' });
      for (const cluster of ['host', 'member1']) await federation.runningPods(cluster, namespace, 5);
      await federation.host.delete(deployments, ref, { propagationPolicy: 'Background' });
      for (const cluster of ['host', 'member1']) await federation.runningPods(cluster, namespace, 0);
    });

    it('carries a changed label to the member', async () => {
      const namespace = await federation.namespace('labels');
      await federation.host.create(deployments, deployment({ namespace, name: 'web' }));
      const [pod] = await federation.runningPods('host', namespace, 1);
      const name = pod?.metadata?.name ?? '';
      await federation.lab.host.kubectl(['label', 'pod', '-n', namespace, name, 'team=blue']);
      await eventually(async () => {
        const copy = await federation.pod('member1', { namespace, name });
        expect(copy?.metadata?.labels).to.include({ team: 'blue' });
      });
    });
  });
}

import { expect } from 'chai';
import { parse } from 'yaml';
import type { NodeConfig } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { clusterNodes, clusters, nodeConfigs } from '../../../../src/kube/kosmos-resources.js';
import { secrets } from '../../../../src/kube/resource.js';
import { CliFederation, NAMESPACE } from '../../../support/cli-federation.js';

const CREATED = '2025-12-30T00:00:00Z';

describe('kosmosctl get, of networks', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
  });

  afterEach(() => federation.close());

  const cells = (out: string): readonly (readonly string[])[] =>
    out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {3,}/));

  const table = async (command: string): Promise<readonly (readonly string[])[]> => {
    const { out, err, code } = await federation.run(command);
    expect([code, err]).to.deep.equal([0, '']);
    return cells(out);
  };

  function seedClusterNode(cluster: string, node: string, spec: object = {}): void {
    federation.host.seed(clusterNodes, {
      metadata: { name: `${cluster}-${node}`, creationTimestamp: CREATED },
      spec: { clusterName: cluster, nodeName: node, ...spec },
    });
  }

  describe('clusternodes', () => {
    beforeEach(() => {
      seedClusterNode('east', 'n1', {
        ...{ roles: ['gateway'], interfaceName: 'eth0', ip: '172.18.1.11', ip6: 'fd00::11', mtu: 1500 },
        ...{ podCIDRs: ['10.10.0.0/24', 'fd10::/64'], standbyOrder: undefined },
      });
      seedClusterNode('west', 'n1', { standbyOrder: 1 });
    });

    it('is a table of the nodes of all linked clusters, also of those that no agent has looked at', async () => {
      expect(await table('get clusternodes')).to.deep.equal([
        ['NAME', 'CLUSTER', 'NODE', 'ROLES', 'INTERFACE', 'IP', 'AGE'],
        ['east-n1', 'east', 'n1', 'gateway', 'eth0', '172.18.1.11', '2d'],
        ['west-n1', 'west', 'n1', '2d'],
      ]);
    });

    it('shows all that is known when there is room', async () => {
      const [head, east, west] = await table('get clusternodes -o wide');
      expect(head?.slice(-4)).to.deep.equal(['IPV6', 'MTU', 'STANDBY', 'POD CIDRS']);
      expect(east?.slice(-3)).to.deep.equal(['fd00::11', '1500', '10.10.0.0/24,fd10::/64']);
      expect(west?.at(-1)).to.equal('1');
    });

    it('leaves out those of other clusters, and others than the one that is named', async () => {
      expect((await table('get clusternode --cluster west')).slice(1)).to.deep.equal([['west-n1', 'west', 'n1', '2d']]);
      expect((await table('get clusternodes east-n1')).slice(1)).to.have.length(1);
      expect((await federation.run('get clusternodes -o name --cluster east')).out).to.equal(
        'clusternode.kosmos.io/east-n1\n',
      );
    });

    it('ends with an error for one that is not there', async () => {
      const { code, err } = await federation.run('get clusternodes nobody');
      expect(code).to.equal(1);
      expect(err).to.contain('there is no ClusterNode "nobody"');
    });
  });

  describe('nodeconfigs', () => {
    const well = { observedGeneration: 3, errors: [], driftRepaired: 2 };

    function seedConfig(in_: 'host' | 'member', cluster: string, node: string, status?: NodeConfig['status']): void {
      federation[in_].seed(nodeConfigs, {
        metadata: {
          ...{ name: `${cluster}-${node}`, labels: { 'kosmos.io/cluster': cluster }, generation: 3 },
          creationTimestamp: CREATED,
        },
        spec: { nodeName: node },
        ...(status !== undefined && { status }),
      });
    }

    function seedCluster(name: string, spec: object, annotations?: Record<string, string>): void {
      federation.host.seed(clusters, {
        metadata: { name, ...(annotations !== undefined && { annotations }) },
        spec: { clusterLinkOptions: {}, ...spec },
      });
    }

    beforeEach(() => {
      seedCluster('control', {}, { 'kosmos.io/cluster-role': 'root' });
      seedCluster('east', { kubeconfigSecretRef: { name: 'east', namespace: NAMESPACE } });
      seedCluster('apart', {
        clusterLinkOptions: undefined,
        kubeconfigSecretRef: { name: 'no', namespace: NAMESPACE },
      });
      const kubeconfig = Buffer.from(federation.memberServer.kubeconfig()).toString('base64');
      federation.host.seed(secrets, { metadata: { namespace: NAMESPACE, name: 'east' }, data: { kubeconfig } });
      const peer = { name: 'control/h1', ip: '220.0.0.1' };
      const peers = [
        { ...peer, reachable: true },
        { ...peer, name: 'control/h2', reachable: false },
      ];
      const activeGateways = [{ clusterName: 'control', nodeName: 'h1' }];
      seedConfig('member', 'east', 'n1', { ...well, peers, activeGateways });
      seedConfig('host', 'control', 'h1', { ...well, observedGeneration: 2, errors: ['device vx-bridge: EBUSY'] });
      seedConfig('host', 'control', 'h2');
    });

    it('come from the cluster that each node is in, with what its agent says', async () => {
      expect(await table('get nodeconfigs')).to.deep.equal([
        ['NAME', 'CLUSTER', 'NODE', 'APPLIED', 'ERRORS', 'PEERS', 'DRIFT', 'AGE'],
        ['control-h1', 'control', 'h1', 'False', '1', '2', '2d'],
        ['control-h2', 'control', 'h2', 'Unknown', '0', '2d'],
        ['east-n1', 'east', 'n1', 'True', '0', '1/2', '2', '2d'],
      ]);
      expect((await table('get nodeconfigs -o wide')).at(-1)?.at(-1)).to.equal('control/h1');
    });

    it('are those of one cluster when it is named', async () => {
      expect((await federation.run('get nodeconfigs --cluster east -o name')).out).to.equal(
        'nodeconfig.kosmos.io/east-n1\n',
      );
      const { out } = await federation.run('get nodeconfig east-n1 -o yaml');
      expect(parse(out)).to.deep.include({ spec: { nodeName: 'n1' } });
    });

    it('are shown as far as clusters answer, and the others are an error', async () => {
      federation.host.erase(secrets, { namespace: NAMESPACE, name: 'east' });
      const { code, out, err } = await federation.run('get nodeconfigs');
      expect(code).to.equal(1);
      expect(cells(out).map(([name]) => name)).to.deep.equal(['NAME', 'control-h1', 'control-h2']);
      expect(err).to.contain("the NodeConfigs of some clusters can't be read: east: ").and.contain('kosmosctl doctor');
    });

    it('end with an error for a config, or a cluster, that is not there', async () => {
      expect((await federation.run('get nodeconfigs nobody')).err).to.contain('there is no NodeConfig "nobody"');
      expect((await federation.run('get nodeconfigs --cluster nobody')).err).to.contain('there is no Cluster "nobody"');
    });
  });
});

import { expect } from 'chai';
import { parse } from 'yaml';
import { ApiError } from '../../../../src/kube/api-error.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { nodes } from '../../../../src/kube/resource.js';
import { CliFederation, clusterOf, virtualNode } from '../../../support/cli-federation.js';

const CREATED = '2025-12-30T00:00:00Z';

describe('kosmosctl get', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
  });

  afterEach(() => federation.close());

  const lines = async (command: string): Promise<readonly (readonly string[])[]> => {
    const { out, err, code } = await federation.run(command);
    expect([code, err]).to.deep.equal([0, '']);
    return out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {3,}/));
  };

  describe('clusters', () => {
    it('is a table with what the manager says of each, in the order of names', async () => {
      const status = { kubernetesVersion: 'v1.35.1', nodes: { summary: '2/3' }, mode: 'OneToCluster' };
      const metadata = { name: 'b', creationTimestamp: CREATED };
      federation.host.seed(clusters, clusterOf('b', ['True', 'AllWell'], { metadata, status: status as never }));
      federation.host.seed(clusters, clusterOf('a', ['False', 'ProbeTimeout', 'no answer']));
      expect(await lines('get clusters')).to.deep.equal([
        ['NAME', 'READY', 'VERSION', 'NODES', 'MODE', 'AGE'],
        ['a', 'False', '0s'],
        ['b', 'True', 'v1.35.1', '2/3', 'OneToCluster', '2d'],
      ]);
    });

    it('also shows reasons and virtual nodes when there is room', async () => {
      const leafs = ['kosmos-a', 'kosmos-b'].map((leafNodeName) => ({ leafNodeName }));
      const status = { clusterTreeStatus: { leafNodeItems: leafs } };
      federation.host.seed(clusters, clusterOf('m', ['False', 'NodesNotReady'], { status: status }));
      const [head, row] = await lines('get clusters -o wide');
      expect(head?.slice(-2)).to.deep.equal(['REASON', 'VIRTUAL NODES']);
      expect(row?.slice(-2)).to.deep.equal(['NodesNotReady', 'kosmos-a,kosmos-b']);
    });

    it('says Unknown of one that no manager has looked at', async () => {
      federation.host.seed(clusters, { metadata: { name: 'new' }, spec: {} });
      expect((await lines('get clusters new'))[1]).to.deep.equal(['new', 'Unknown', '0s']);
    });

    it('answers to the singular as well', async () => {
      federation.host.seed(clusters, clusterOf('m', ['True', 'AllWell']));
      expect(await lines('get cluster m')).to.deep.equal(await lines('get clusters m'));
    });

    it('says beside the results that there is none, so that pipes get nothing', async () => {
      expect(await federation.run('get clusters')).to.deep.equal({ code: 0, out: '', err: 'No resources found\n' });
      expect((await federation.run('get clusters -o name')).out).to.equal('');
      expect(JSON.parse((await federation.run('get clusters -o json')).out)).to.deep.include({
        kind: 'List',
        items: [],
      });
    });

    it('ends with an error for one that is not there', async () => {
      const { code, out, err } = await federation.run('get clusters nobody');
      expect([code, out]).to.deep.equal([1, '']);
      expect(err).to.equal(
        'error: there is no Cluster "nobody"\nSee what there is: kosmosctl get clusters, kosmosctl get nodes\n',
      );
    });

    it('gives names that kubectl takes', async () => {
      for (const name of ['b', 'a']) federation.host.seed(clusters, clusterOf(name));
      expect((await federation.run('get clusters -o name')).out).to.equal('cluster.kosmos.io/a\ncluster.kosmos.io/b\n');
    });

    it('never shows a kubeconfig, wherever the object holds it', async () => {
      const kubeconfig = Buffer.from('very-secret-token').toString('base64');
      const applied = JSON.stringify({ spec: { kubeconfig } });
      const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': applied, kept: 'yes' };
      const managedFields = [{ manager: 'x' }] as never;
      federation.host.seed(clusters, {
        metadata: { name: 'm', annotations, managedFields },
        spec: { kubeconfig },
      });
      for (const command of ['get clusters -o yaml', 'get clusters m -o yaml', 'get clusters -o json']) {
        const { out } = await federation.run(command);
        expect(out, command).to.contain('[redacted]').and.contain('kept').and.not.contain(kubeconfig);
        expect(out).not.to.contain('managedFields');
      }
    });

    it('gives a single one as itself, and all of them as a List', async () => {
      federation.host.seed(clusters, clusterOf('m'));
      expect(parse((await federation.run('get clusters m -o yaml')).out)).to.have.property('kind', 'Cluster');
      expect(parse((await federation.run('get clusters -o yaml')).out)).to.have.property('kind', 'List');
    });
  });

  describe('nodes', () => {
    const allocatable = { cpu: '4', memory: '8Gi', pods: '110' };

    it('has a column of its own for each figure', async () => {
      const nodeInfo = { kubeletVersion: 'v1.36.3' } as never;
      const node = virtualNode('kosmos-m', 'm', 'True', { status: { allocatable, nodeInfo } });
      federation.host.seed(nodes, { ...node, metadata: { ...node.metadata, creationTimestamp: CREATED } });
      expect(await lines('get nodes')).to.deep.equal([
        ['NAME', 'STATUS', 'CLUSTER', 'VERSION', 'CPU', 'MEMORY', 'PODS', 'AGE'],
        ['kosmos-m', 'Ready', 'm', 'v1.36.3', '4', '8Gi', '110', '2d'],
      ]);
    });

    it('shows IPv6 addresses and ports when there is room', async () => {
      const status = {
        addresses: [{ type: 'InternalIP', address: 'fd00::10' }],
        daemonEndpoints: { kubeletEndpoint: { Port: 10251 } },
      };
      federation.host.seed(nodes, virtualNode('kosmos-m', 'm', 'True', { status: status }));
      const [head, row] = await lines('get nodes -o wide');
      expect(head?.slice(-2)).to.deep.equal(['ADDRESS', 'PORT']);
      expect(row?.slice(-2)).to.deep.equal(['fd00::10', '10251']);
    });

    const states: readonly (readonly [string, boolean, string])[] = [
      ['True', false, 'Ready'],
      ['False', false, 'NotReady'],
      ['Unknown', false, 'NotReady'],
      ['True', true, 'Ready,SchedulingDisabled'],
      ['Unknown', true, 'NotReady,SchedulingDisabled'],
    ];
    for (const [ready, unschedulable, shown] of states) {
      it(`is ${shown} when Ready is ${ready}${unschedulable ? ' and it is cordoned' : ''}`, async () => {
        federation.host.seed(nodes, virtualNode('n', 'm', ready, { spec: { unschedulable } }));
        expect((await lines('get nodes'))[1]?.[1]).to.equal(shown);
      });
    }

    it('leaves out nodes of the host, and those of other members when one is named', async () => {
      federation.host.seed(nodes, { metadata: { name: 'real' } });
      federation.host.seed(nodes, virtualNode('kosmos-a', 'a'));
      federation.host.seed(nodes, virtualNode('kosmos-b', 'b'));
      expect((await federation.run('get nodes -o name')).out).to.equal('node/kosmos-a\nnode/kosmos-b\n');
      expect((await federation.run('get nodes -o name --cluster b')).out).to.equal('node/kosmos-b\n');
      const none = await federation.run('get nodes real');
      expect([none.code, none.err.split('\n')[0]]).to.deep.equal([1, 'error: there is no virtual node "real"']);
    });
  });

  const failures: readonly (readonly [number, string, string])[] = [
    [401, 'Unauthorized', "doesn't accept the credential of the kubeconfig\nIt may have expired"],
    [403, 'Forbidden', 'refuses: the API server answered with HTTP 403 Forbidden\nUse a kubeconfig that may do this'],
    [404, 'NotFound', 'knows no Clusters: Kosmos is not installed there\nRun "kosmosctl install"'],
    [500, 'InternalError', 'answers: the API server answered with HTTP 500'],
  ];
  for (const [code, reason, said] of failures) {
    it(`explains an API server that answers ${code}`, async () => {
      federation.host.fail({ verb: 'list', error: new ApiError({ code, reason, message: 'no' }), times: 9 });
      const result = await federation.run('get clusters');
      expect([result.code, result.out]).to.deep.equal([1, '']);
      expect(result.err).to.contain(`error: the API server of the host (${federation.hostServer.url}) ${said}`);
    });
  }
});

import { expect } from 'chai';
import type { ClusterNode } from '../../../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { NodeConfig } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { ownedSelector, ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';
import { judgeNodeConfigs } from '../../../../src/kosmosctl/adopt/node-configs.js';
import { nodeConfigs } from '../../../../src/kube/kosmos-resources.js';
import { matchesLabels } from '../../../support/selectors.js';

const ROOT = 'kosmos-control-cluster';

function node(cluster: string, name: string): ClusterNode {
  return { metadata: { name: `${cluster}-${name}` }, spec: { clusterName: cluster, nodeName: name } };
}

function config(name: string, labels?: Record<string, string>): NodeConfig {
  return { metadata: { name, uid: `uid-of-${name}`, labels }, spec: {} };
}

function judge(root: string, ...configs: NodeConfig[]) {
  const clusterNodes = [node(ROOT, 'n1'), node('member1', 'n1')];
  return judgeNodeConfigs({ uid: 'host-uid', root, clusterNodes, nodeConfigs: configs });
}

describe('judgeNodeConfigs', () => {
  it("takes those of the host's own nodes, which go on telling MACs", () => {
    const [finding] = judge(ROOT, config(`${ROOT}-n1`));
    const labels = { 'kosmos.io/host-cluster': 'host-uid', 'kosmos.io/cluster': ROOT };
    expect(finding).to.deep.equal({
      ...{ cluster: 'host', kind: 'NodeConfig', name: `${ROOT}-n1` },
      judgement: {
        kind: 'adopt',
        changes: [
          {
            ...{ where: 'host', type: nodeConfigs, ref: { name: `${ROOT}-n1` }, how: 'merge' },
            body: { metadata: { uid: `uid-of-${ROOT}-n1`, labels } },
          },
        ],
      },
    });
    // The manager sees it as its own, and its planner as one that was there before.
    expect(matchesLabels(labels, ownedSelector(ownershipOf('host-uid', ROOT)))).to.equal(true);
    expect(matchesLabels(labels, '!kosmos.io/owner')).to.equal(true);
    expect(judge(ROOT, config(`${ROOT}-n1`, labels))[0]?.judgement).to.deep.equal({ kind: 'adopted' });
  });

  it('leaves those of members, and all where the host has no Cluster of its own', () => {
    for (const findings of [judge(ROOT, config('member1-n1'), config('nobody-n1')), judge('', config(`${ROOT}-n1`))]) {
      for (const { judgement } of findings) expect(judgement).to.have.property('kind', 'stays');
    }
  });
});

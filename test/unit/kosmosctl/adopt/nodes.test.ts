import { expect } from 'chai';
import type { Node } from '../../../../src/apis/core.js';
import { judgeNodes } from '../../../../src/kosmosctl/adopt/nodes.js';
import { nodes } from '../../../../src/kube/resource.js';

const WANTED = [{ cluster: 'member1', names: ['kosmos-member1'] }];

function node(name: string, cluster?: string, labels: Record<string, string> = { 'kosmos.io/node': 'true' }): Node {
  const annotations = cluster === undefined ? {} : { 'kosmos-io/owned-by-cluster': cluster };
  return { metadata: { name, uid: `uid-of-${name}`, labels, annotations } };
}

const judge = (one: Node) => judgeNodes([one], WANTED);

describe('judgeNodes', () => {
  it('leaves virtual nodes that name their Cluster to the manager', () => {
    expect(judge(node('kosmos-member1', 'member1'))).to.deep.equal([
      { cluster: 'member1', kind: 'Node', name: 'kosmos-member1', judgement: { kind: 'adopted' } },
    ]);
  });

  it('says whose a virtual node is that does not', () => {
    const [finding] = judge(node('kosmos-member1'));
    const body = {
      metadata: { uid: 'uid-of-kosmos-member1', annotations: { 'kosmos-io/owned-by-cluster': 'member1' } },
    };
    expect(finding?.judgement).to.deep.equal({
      kind: 'adopt',
      changes: [{ where: 'host', type: nodes, ref: { name: 'kosmos-member1' }, how: 'merge', body }],
    });
  });

  it("says nothing about the host's own nodes", () => {
    expect(judge(node('worker-1', undefined, {}))).to.deep.equal([]);
  });

  const ROWS = [
    [
      "a node of the host has the name of one of the member's",
      node('kosmos-member1', undefined, {}),
      'problem',
      /is not a virtual node/,
    ],
    ['another Cluster has it', node('kosmos-member1', 'b'), 'problem', /belongs to Cluster b/],
    [
      'its Cluster does not ask for it',
      node('kosmos-member1-7', 'member1'),
      'problem',
      /member1 does not ask for it: the manager will delete its pods/,
    ],
    ['its Cluster is gone', node('kosmos-old', 'old'), 'stays', /^its Cluster is gone; delete it/],
    ['nobody knows its Cluster', node('kosmos-old'), 'stays', /^its Cluster is gone/],
  ] as const;
  for (const [when, one, kind, why] of ROWS) {
    it(`says ${kind} when ${when}`, () => {
      const [finding] = judge(one);
      expect(finding?.judgement.kind).to.equal(kind);
      expect(finding?.judgement).to.have.property('why').that.matches(why);
    });
  }
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { Node, Taint } from '../../../../src/apis/core.js';
import type { VirtualNodeSpec } from '../../../../src/clustertree/cluster/virtual-node-spec.js';
import type { NodePatch } from '../../../../src/clustertree/node/diff.js';
import { diffNode } from '../../../../src/clustertree/node/diff.js';
import { desiredNode } from '../../../../src/clustertree/node/model.js';
import { memberNode, virtualNodes } from '../../../support/member-objects.js';

const OWN_TAINT: Taint = { key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' };
const UNREACHABLE: Taint = {
  key: 'node.kubernetes.io/unreachable',
  effect: 'NoExecute',
  timeAdded: '2026-01-01T00:00:00Z',
};

const desired = (spec: Partial<VirtualNodeSpec> = {}): Node =>
  desiredNode({
    clusterName: 'east',
    spec: { ...virtualNodes.all, ...spec } as VirtualNodeSpec,
    behind: [memberNode('n1')],
  });
const mirror = (unschedulable: boolean): Node =>
  desiredNode({ clusterName: 'east', spec: virtualNodes.node, behind: [memberNode('n1', { unschedulable })] });

/** What the API server makes of the node. */
const stored = (node: Node): Node => ({
  ...node,
  metadata: { ...node.metadata, uid: 'uid-1', resourceVersion: '7' },
});

/** A JSON merge patch, as far as diffNode uses it. */
function apply(node: Node, patch: NodePatch | undefined): Node {
  const merge = (
    map: Readonly<Record<string, unknown>> = {},
    changes: Readonly<Record<string, unknown>> = {},
  ): Record<string, unknown> => {
    const all = { ...map, ...changes };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  };
  return {
    ...node,
    metadata: {
      ...node.metadata,
      labels: merge(node.metadata?.labels, patch?.metadata.labels) as Record<string, string>,
      annotations: merge(node.metadata?.annotations, patch?.metadata.annotations) as Record<string, string>,
    },
    spec: merge(node.spec, patch?.spec),
  };
}

describe('diffNode', () => {
  it('has nothing to do for a node that is as wanted', () => {
    expect(diffNode(stored(desired()), desired())).to.be.undefined;
  });

  it('names the object that it means, and locks it only for taints', () => {
    const relabelled = diffNode(stored(desired()), desired({ labels: { tier: 'gold' } }));
    expect(relabelled?.metadata).to.include({ uid: 'uid-1' });
    expect(relabelled?.metadata).not.to.have.property('resourceVersion');
    const retainted = diffNode(stored(desired()), desired({ taints: [] }));
    expect(retainted?.metadata).to.include({ uid: 'uid-1', resourceVersion: '7' });
  });

  it('brings back what somebody took away or changed', () => {
    const node = stored(desired());
    const spoilt = {
      ...node,
      metadata: {
        ...node.metadata,
        labels: { ...node.metadata?.labels, 'kosmos.io/cluster': 'west' },
        annotations: { 'kosmos.io/managed-keys': node.metadata?.annotations?.['kosmos.io/managed-keys'] ?? '' },
      },
      spec: { ...node.spec, taints: [] },
    };
    expect(diffNode(spoilt, desired())).to.deep.equal({
      metadata: {
        uid: 'uid-1',
        resourceVersion: '7',
        labels: { 'kosmos.io/cluster': 'east' },
        annotations: { 'kosmos-io/owned-by-cluster': 'east', leafNodeMode: 'one2cluster' },
      },
      spec: { taints: [OWN_TAINT] },
    });
  });

  it('removes a label that leafModels no longer name, and records that', () => {
    const before = stored(desired({ labels: { tier: 'gold' } }));
    const patch = diffNode(before, desired());
    expect(patch?.metadata.labels).to.deep.equal({ tier: null });
    const after = apply(before, patch);
    expect(after.metadata?.labels).to.deep.equal(desired().metadata?.labels);
    expect(diffNode(after, desired())).to.be.undefined;
  });

  it('leaves labels, annotations and taints of others alone', () => {
    const node = stored(desired());
    const shared = {
      ...node,
      metadata: {
        ...node.metadata,
        labels: { ...node.metadata?.labels, team: 'a' },
        annotations: { ...node.metadata?.annotations, note: 'b' },
      },
      spec: { ...node.spec, taints: [UNREACHABLE, OWN_TAINT] },
    };
    expect(diffNode(shared, desired())).to.be.undefined;
    const after = apply(shared, diffNode(shared, desired({ taints: [], labels: { tier: 'gold' } })));
    expect(after.metadata?.labels).to.include({ team: 'a', tier: 'gold' });
    expect(after.metadata?.annotations).to.include({ note: 'b' });
    expect(after.spec?.taints).to.deep.equal([UNREACHABLE]);
  });

  it("takes the taint of Kosmos' own (Go) node away where none is wanted, although nothing is recorded", () => {
    const node: Node = {
      metadata: {
        name: 'kosmos-east',
        labels: { 'kosmos.io/node': 'true' },
        annotations: { 'kosmos-io/owned-by-cluster': 'east' },
      },
      spec: { taints: [UNREACHABLE, OWN_TAINT] },
    };
    expect(diffNode(node, desired({ taints: [] }))?.spec?.taints).to.deep.equal([UNREACHABLE]);
  });

  it('replaces a taint whose value changed, and keeps the rest as it is', () => {
    const node = stored(desired());
    const changed = { ...OWN_TAINT, value: 'changed' };
    const spoilt = { ...node, spec: { ...node.spec, taints: [changed, UNREACHABLE] } };
    expect(diffNode(spoilt, desired())?.spec?.taints).to.deep.equal([OWN_TAINT, UNREACHABLE]);
  });

  it('takes a taint without value for one with an empty value', () => {
    const taints = [{ key: 'a', effect: 'NoSchedule' }];
    const node = stored(desired({ taints }));
    const normalised = { ...node, spec: { ...node.spec, taints: [{ key: 'a', value: '', effect: 'NoSchedule' }] } };
    expect(diffNode(normalised, desired({ taints }))).to.be.undefined;
    const valued = [{ key: 'a', value: '', effect: 'NoSchedule' }];
    expect(diffNode(stored(desired({ taints: valued })), desired({ taints }))).to.be.undefined;
    expect(diffNode(stored(desired({ taints })), desired({ taints: valued }))).to.be.undefined;
  });

  describe('the provider ID', () => {
    const without = (providerID: string): Node => {
      const node = stored(desired());
      return { ...node, spec: { taints: [OWN_TAINT], ...(providerID && { providerID }) } };
    };

    it('is set where there is none', () => {
      expect(diffNode(without(''), desired())?.spec).to.deep.equal({ providerID: 'kosmos://east/kosmos-east' });
    });

    it('is left alone where the API server would refuse a change', () => {
      expect(diffNode(without('aws:///i-1'), desired())).to.be.undefined;
    });
  });

  describe('the cordon of a single node', () => {
    const cordoned = (node: Node): Node => ({ ...node, spec: { ...node.spec, unschedulable: true } });

    it('follows the member both ways', () => {
      const on = diffNode(stored(mirror(false)), mirror(true));
      expect(on?.spec).to.deep.equal({ unschedulable: true });
      const after = apply(stored(mirror(false)), on);
      expect(diffNode(after, mirror(true))).to.be.undefined;
      const off = diffNode(after, mirror(false));
      expect(off?.spec).to.deep.equal({ unschedulable: null });
      expect(diffNode(apply(after, off), mirror(false))).to.be.undefined;
    });

    it("stays the administrator's where it is theirs", () => {
      const theirs = cordoned(stored(mirror(false)));
      expect(diffNode(theirs, mirror(false))).to.be.undefined;
      expect(diffNode(theirs, mirror(true))).to.be.undefined;
    });

    it('comes back when the administrator lifts it while the member is cordoned', () => {
      const lifted = { ...stored(mirror(true)), spec: mirror(false).spec };
      expect(diffNode(lifted, mirror(true))?.spec).to.deep.equal({ unschedulable: true });
    });
  });

  it('copes with a node that has no metadata, and names no object then', () => {
    const patch = diffNode({}, desired());
    expect(Object.keys(patch?.metadata ?? {})).to.deep.equal(['labels', 'annotations']);
    expect(diffNode({}, {})).to.be.undefined;
  });

  it('converges: after the patch nothing is left to do, and all that others wrote is there', () => {
    const words = fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('1', '2'), { noNullPrototype: true });
    const taint = fc.record({ key: fc.constantFrom('p', 'q'), value: fc.constantFrom('1', '2') });
    const taints = fc
      .uniqueArray(taint, { selector: ({ key }) => key, maxLength: 2 })
      .map((list) => list.map((item) => ({ ...item, effect: 'NoSchedule' })));
    fc.assert(
      fc.property(words, taints, words, taints, (labels1, taints1, labels2, taints2) => {
        const start = stored(desired({ labels: labels1, taints: taints1 }));
        const shared: Node = {
          ...start,
          metadata: { ...start.metadata, labels: { ...start.metadata?.labels, foreign: 'l' } },
          spec: { ...start.spec, taints: [UNREACHABLE, ...(start.spec?.taints ?? [])] },
        };
        const wanted = desired({ labels: labels2, taints: taints2 });
        const after = apply(shared, diffNode(shared, wanted));
        expect(diffNode(after, wanted)).to.be.undefined;
        expect(after.metadata?.labels).to.deep.equal({ ...wanted.metadata?.labels, foreign: 'l' });
        expect(after.metadata?.annotations).to.deep.equal(wanted.metadata?.annotations);
        expect(after.spec?.taints).to.have.deep.members([UNREACHABLE, ...taints2]);
      }),
    );
  });
});

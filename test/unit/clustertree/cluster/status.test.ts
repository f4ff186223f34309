import { expect } from 'chai';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { ClusterReport } from '../../../../src/clustertree/cluster/status.js';
import { clusterStatusPatch } from '../../../../src/clustertree/cluster/status.js';

const NOW = '2026-01-01T00:00:00Z';
const LATER = '2026-01-01T00:10:00Z';
const report: ClusterReport = {
  state: { kind: 'connected', synced: true, conflicts: [] },
  kubernetesVersion: 'v1.36.3',
  mode: 'party',
  nodes: { ready: 2, total: 3 },
  virtualNodes: ['kosmos-b-1', 'kosmos-a-0'],
};
const metadata = { name: 'east', uid: 'uid-1', resourceVersion: '7', generation: 2 };
const fresh: Cluster = { metadata, spec: {} };
const settled: Cluster = {
  ...fresh,
  status: {
    ...clusterStatusPatch(fresh, report, NOW)?.status,
    mode: 'party',
    clusterLinkStatus: { podCIDRs: ['10.0.0.0/16'] },
  },
};
const patch = (changes: Partial<ClusterReport>, cluster = settled): ReturnType<typeof clusterStatusPatch> =>
  clusterStatusPatch(cluster, { ...report, ...changes }, LATER);

describe('clusterStatusPatch', () => {
  it('says everything of a Cluster that has no status yet', () => {
    const first = clusterStatusPatch(fresh, report, NOW);
    expect(first?.metadata).to.deep.equal({ uid: 'uid-1', resourceVersion: '7' });
    const { conditions, ...status } = first?.status ?? {};
    expect(conditions).to.have.lengthOf(3);
    expect(status).to.deep.equal({
      observedGeneration: 2,
      kubernetesVersion: 'v1.36.3',
      mode: 'party',
      nodes: { ready: 2, total: 3, summary: '2/3' },
      clusterTreeStatus: { leafNodeItems: [{ leafNodeName: 'kosmos-a-0' }, { leafNodeName: 'kosmos-b-1' }] },
    });
  });

  it('has nothing to do when the status says it all', () => {
    expect(patch({})).to.be.undefined;
    expect(patch({ virtualNodes: [...report.virtualNodes].reverse() })).to.be.undefined;
  });

  it('writes only what changed, and locks the object only for conditions', () => {
    expect(patch({ nodes: { ready: 3, total: 3 } })).to.deep.equal({
      metadata: { uid: 'uid-1' },
      status: { nodes: { ready: 3, total: 3, summary: '3/3' } },
    });
    expect(patch({ kubernetesVersion: 'v1.37.0' })?.status).to.deep.equal({ kubernetesVersion: 'v1.37.0' });
  });

  it('keeps what was last known of a member that is away', () => {
    const away = patch({
      state: { kind: 'unreachable', reason: 'ConnectionFailed', message: 'refused' },
      kubernetesVersion: undefined,
      nodes: undefined,
    });
    expect(Object.keys(away?.status ?? {})).to.deep.equal(['conditions']);
    expect(away?.metadata).to.deep.equal({ uid: 'uid-1', resourceVersion: '7' });
  });

  it('takes mode and virtual nodes back when there are to be none', () => {
    const disabled = patch({ state: { kind: 'disabled' }, mode: undefined, virtualNodes: [] });
    expect(disabled?.status).to.deep.include({ mode: null, clusterTreeStatus: { leafNodeItems: [] } });
  });

  it('says when it has seen an edit that changes nothing else', () => {
    const edited = { ...settled, metadata: { ...metadata, generation: 3 } };
    expect(patch({}, edited)?.status).to.include({ observedGeneration: 3 });
  });

  it('never touches what ClusterLink reports', () => {
    expect(patch({ state: { kind: 'disabled' } })?.status).not.to.have.property('clusterLinkStatus');
  });

  it('copes with a Cluster without metadata', () => {
    expect(clusterStatusPatch({ spec: {} }, { ...report, mode: undefined }, NOW)?.metadata).to.deep.equal({});
  });
});

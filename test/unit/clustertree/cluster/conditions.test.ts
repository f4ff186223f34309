import { expect } from 'chai';
import type { ClusterCondition } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { ClusterState } from '../../../../src/clustertree/cluster/conditions.js';
import { desiredClusterConditions, mergeClusterConditions } from '../../../../src/clustertree/cluster/conditions.js';

const BEFORE = '2026-01-01T00:00:00Z';
const NOW = '2026-01-01T00:10:00Z';

describe('desiredClusterConditions', () => {
  const table: readonly (readonly [ClusterState, Readonly<Record<string, string>>])[] = [
    [{ kind: 'host' }, { Ready: 'True HostCluster' }],
    [{ kind: 'disabled' }, { Ready: 'False Disabled' }],
    [
      { kind: 'invalid', reason: 'InvalidSpec', message: 'x' },
      { Ready: 'False InvalidSpec', Reachable: 'Unknown InvalidSpec', Synced: 'Unknown InvalidSpec' },
    ],
    [
      { kind: 'connecting' },
      { Ready: 'False Connecting', Reachable: 'Unknown Connecting', Synced: 'False Connecting' },
    ],
    [
      { kind: 'unreachable', reason: 'ProbeTimeout', message: 'x' },
      { Ready: 'False ProbeTimeout', Reachable: 'False ProbeTimeout', Synced: 'Unknown ProbeTimeout' },
    ],
    [
      { kind: 'connected', synced: false, conflicts: [] },
      { Ready: 'False Syncing', Reachable: 'True ProbeSucceeded', Synced: 'False Syncing' },
    ],
    [
      { kind: 'connected', synced: true, conflicts: [] },
      { Ready: 'True AllWell', Reachable: 'True ProbeSucceeded', Synced: 'True CachesSynced' },
    ],
    [
      { kind: 'connected', synced: true, conflicts: ['node n1 exists'] },
      { Ready: 'False NodeConflict', Reachable: 'True ProbeSucceeded', Synced: 'True CachesSynced' },
    ],
    [{ kind: 'leaving', message: 'x' }, { Ready: 'False Leaving' }],
  ];
  for (const [state, expected] of table) {
    it(`says ${JSON.stringify(expected)} of ${JSON.stringify(state)}`, () => {
      const conditions = desiredClusterConditions(state).map(({ type, status, reason }) => [
        type,
        `${status} ${reason}`,
      ]);
      expect(Object.fromEntries(conditions)).to.deep.equal(expected);
    });
  }

  it('passes on what is wrong', () => {
    const [ready, reachable] = desiredClusterConditions({
      kind: 'unreachable',
      reason: 'CertificateInvalid',
      message: 'the certificate has expired',
    });
    expect(ready?.message).to.equal('the certificate has expired');
    expect(reachable?.message).to.equal('the certificate has expired');
  });

  it('names all conflicts, in a stable order', () => {
    const message = (conflicts: readonly string[]): string | undefined =>
      desiredClusterConditions({ kind: 'connected', synced: true, conflicts })[0]?.message;
    expect(message(['node b exists', 'node a exists'])).to.equal('node a exists; node b exists');
    expect(message(['node a exists', 'node b exists'])).to.equal('node a exists; node b exists');
  });
});

describe('mergeClusterConditions', () => {
  const well = desiredClusterConditions({ kind: 'connected', synced: true, conflicts: [] });
  const merge = (
    actual: readonly ClusterCondition[],
    generation: number | undefined = 1,
  ): readonly ClusterCondition[] => mergeClusterConditions(actual, well, { now: NOW, generation });
  const first = mergeClusterConditions([], well, { now: BEFORE, generation: 1 });
  const foreign: ClusterCondition = {
    type: 'Linked',
    status: 'True',
    reason: 'Tunnel',
    message: '',
    lastTransitionTime: BEFORE,
  };

  it('begins with the time at which it is first written', () => {
    expect(first.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).to.deep.equal([
      ['Ready', BEFORE],
      ['Reachable', BEFORE],
      ['Synced', BEFORE],
    ]);
  });

  it('gives back what is there when nothing changes, in whatever order', () => {
    expect(merge(first)).to.equal(first);
    const reversed = [...first].reverse();
    expect(merge(reversed)).to.equal(reversed);
  });

  it('keeps the transition time while the status stays', () => {
    const reworded = first.map((condition) => ({ ...condition, message: 'other' }));
    expect(merge(reworded)).to.deep.equal(first);
  });

  it('moves the transition time when the status changes', () => {
    const lost = desiredClusterConditions({ kind: 'unreachable', reason: 'ConnectionFailed', message: 'refused' });
    const merged = mergeClusterConditions(first, lost, { now: NOW, generation: 1 });
    expect(merged.map(({ lastTransitionTime }) => lastTransitionTime)).to.deep.equal([NOW, NOW, NOW]);
  });

  it('says which generation it has seen, without moving times', () => {
    const merged = merge(first, 2);
    expect(merged.map(({ observedGeneration }) => observedGeneration)).to.deep.equal([2, 2, 2]);
    expect(merged[0]?.lastTransitionTime).to.equal(BEFORE);
    expect(mergeClusterConditions([], well, { now: NOW, generation: undefined })[0]).not.to.have.property(
      'observedGeneration',
    );
  });

  it('keeps conditions of others', () => {
    expect(merge([foreign])).to.deep.include(foreign);
    const both = [...first, foreign];
    expect(merge(both)).to.equal(both);
  });

  it('drops those of ours that mean nothing any more', () => {
    const disabled = desiredClusterConditions({ kind: 'disabled' });
    const merged = mergeClusterConditions([...first, foreign], disabled, { now: NOW, generation: 1 });
    expect(merged.map(({ type }) => type)).to.deep.equal(['Ready', 'Linked']);
  });
});

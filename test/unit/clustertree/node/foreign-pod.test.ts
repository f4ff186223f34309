import { expect } from 'chai';
import { createForeignPodTrimmer } from '../../../../src/clustertree/node/foreign-pod.js';
import { formatResources } from '../../../../src/lib/resource-list.js';
import { foreignPodObject } from '../../../support/member-objects.js';

describe('createForeignPodTrimmer', () => {
  for (const phase of ['Pending', 'Running', 'Unknown']) {
    it(`keeps node and requests of a pod that is ${phase}`, () => {
      const trimmed = createForeignPodTrimmer()(foreignPodObject('n1', { cpu: '1' }, phase));
      expect(trimmed?.nodeName).to.equal('n1');
      expect(trimmed && formatResources(trimmed.requests)).to.deep.equal({ cpu: '1' });
      expect(Object.keys(trimmed ?? {})).to.deep.equal(['nodeName', 'requests']);
    });
  }

  for (const phase of ['Succeeded', 'Failed']) {
    it(`keeps nothing of a pod that has ${phase}`, () => {
      expect(createForeignPodTrimmer()(foreignPodObject('n1', { cpu: '1' }, phase))).to.be.undefined;
    });
  }

  it('keeps nothing of a pod without a node', () => {
    const trim = createForeignPodTrimmer();
    expect(trim(foreignPodObject('', { cpu: '1' }, 'Pending'))).to.be.undefined;
    expect(trim({})).to.be.undefined;
  });

  it('keeps a pod that is being deleted, because it still takes its place', () => {
    const pod = foreignPodObject('n1', { cpu: '1' });
    const deleted = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(createForeignPodTrimmer()(deleted)).not.to.be.undefined;
  });

  it('shares equal requests between pods', () => {
    const trim = createForeignPodTrimmer();
    const first = trim(foreignPodObject('n1', { cpu: '1', memory: '1Gi' }));
    const second = trim(foreignPodObject('n2', { memory: '1024Mi', cpu: '1000m' }));
    const third = trim(foreignPodObject('n2', { cpu: '2' }));
    expect(second?.requests).to.equal(first?.requests);
    expect(third?.requests).not.to.equal(first?.requests);
  });

  it('forgets shared values when there are very many, and stays right', () => {
    const trim = createForeignPodTrimmer();
    const first = trim(foreignPodObject('n1', { cpu: '1n' }));
    for (let i = 2; i <= 10_001; i += 1) trim(foreignPodObject('n1', { cpu: `${i}n` }));
    const again = trim(foreignPodObject('n1', { cpu: '1n' }));
    expect(again).to.deep.equal(first);
    expect(again?.requests).not.to.equal(first?.requests);
  });
});

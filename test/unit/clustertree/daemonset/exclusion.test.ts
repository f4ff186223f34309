import { expect } from 'chai';
import type { DaemonSet } from '../../../../src/apis/core.js';
import { exclusionPatch, exclusionPolicy } from '../../../../src/clustertree/daemonset/exclusion.js';

const EXCLUDED = { key: 'kosmos.io/node', operator: 'DoesNotExist' };
const ZONE = { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a'] };

function daemonSet(terms?: readonly object[], annotations: { own?: object; template?: object } = {}): DaemonSet {
  const nodeAffinity = terms && { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } };
  return {
    metadata: { name: 'agent', uid: 'u1', resourceVersion: '7', annotations: annotations.own },
    spec: {
      selector: {},
      template: {
        metadata: { annotations: annotations.template },
        spec: { containers: [], ...(nodeAffinity && { affinity: { nodeAffinity } }) },
      },
    },
  } as unknown as DaemonSet;
}

function terms(patch: object | undefined): unknown {
  const { spec } = patch as {
    spec: { template: { spec: { affinity: { nodeAffinity: Record<string, { nodeSelectorTerms: unknown }> } } } };
  };
  return spec.template.spec.affinity.nodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']?.nodeSelectorTerms;
}

describe('exclusionPatch', () => {
  it('adds a requirement where there is no affinity', () => {
    expect(terms(exclusionPatch(daemonSet()))).to.deep.equal([{ matchExpressions: [EXCLUDED] }]);
  });

  it('adds it to every alternative, for any of them would do otherwise', () => {
    const patch = exclusionPatch(daemonSet([{ matchExpressions: [ZONE] }, { matchExpressions: [EXCLUDED] }]));
    expect(terms(patch)).to.deep.equal([{ matchExpressions: [ZONE, EXCLUDED] }, { matchExpressions: [EXCLUDED] }]);
  });

  it('names the object that it was computed from', () => {
    expect(exclusionPatch(daemonSet())).to.deep.include({ metadata: { uid: 'u1', resourceVersion: '7' } });
  });

  it('has nothing to do for one that is excluded', () => {
    expect(exclusionPatch(daemonSet([{ matchExpressions: [EXCLUDED] }]))).to.equal(undefined);
  });

  const allow = { 'kosmos-io/daemonset-allow': 'true' };
  it('leaves one alone that is allowed, by itself or by its pod template', () => {
    expect(exclusionPatch(daemonSet(undefined, { own: allow }))).to.equal(undefined);
    expect(exclusionPatch(daemonSet(undefined, { template: allow }))).to.equal(undefined);
  });

  it('takes the annotation "false" for what it says', () => {
    const patch = exclusionPatch(daemonSet(undefined, { own: { 'kosmos-io/daemonset-allow': 'false' } }));
    expect(terms(patch)).to.deep.equal([{ matchExpressions: [EXCLUDED] }]);
  });
});

describe('exclusionPolicy', () => {
  it('is a policy and its binding, of the same name', () => {
    const [policy, binding] = exclusionPolicy();
    expect(policy?.kind).to.equal('MutatingAdmissionPolicy');
    expect(binding?.spec).to.deep.equal({ policyName: policy?.metadata.name });
  });

  it('lets DaemonSets pass when it fails', () => {
    expect(exclusionPolicy()[0]?.spec).to.include({ failurePolicy: 'Ignore' });
  });
});

import { expect } from 'chai';
import type { Namespace, Toleration } from '../../../../src/apis/core.js';
import { DISCONNECTION_POLICY_ANNOTATION } from '../../../../src/apis/names.js';
import type { DisconnectionPolicy } from '../../../../src/clustertree/cluster/disconnection-policy.js';
import { disconnectionPatch, policyFor, unreadablePolicy } from '../../../../src/clustertree/pod/disconnection.js';
import { hostPod } from '../../../support/pods.js';

const EVICT: DisconnectionPolicy = { kind: 'Evict' };
const KEEP: DisconnectionPolicy = { kind: 'Keep' };
const AFTER: DisconnectionPolicy = { kind: 'EvictAfter', afterMs: 90_500 };
const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';

function annotated(text: string): { metadata: { annotations: Record<string, string> } } {
  return { metadata: { annotations: { [DISCONNECTION_POLICY_ANNOTATION]: text } } };
}

const says = (text: string): Namespace => annotated(text);

describe('policyFor', () => {
  it('is that of the Cluster when nobody else says anything', () => {
    expect(policyFor(hostPod(), { metadata: {} }, KEEP)).to.deep.equal(KEEP);
    expect(policyFor(hostPod(), undefined, KEEP)).to.deep.equal(KEEP);
  });

  it('is that of the namespace before that of the Cluster', () => {
    expect(policyFor(hostPod(), says('EvictAfter=90s'), KEEP)).to.deep.equal({ kind: 'EvictAfter', afterMs: 90_000 });
  });

  it('is that of the pod before all others', () => {
    expect(policyFor(hostPod(annotated('Evict')), says('Keep'), KEEP)).to.deep.equal(EVICT);
  });

  it('passes over one that is unreadable', () => {
    expect(policyFor(hostPod(annotated('Never')), says('Keep'), EVICT)).to.deep.equal(KEEP);
  });
});

describe('unreadablePolicy', () => {
  it('finds none where all is readable', () => {
    expect(unreadablePolicy(hostPod(annotated('Keep')), says('Evict'))).to.be.undefined;
    expect(unreadablePolicy(hostPod(), undefined)).to.be.undefined;
  });

  it('finds that of the pod and that of the namespace', () => {
    expect(unreadablePolicy(hostPod(annotated('Never')), says('Keep'))).to.equal('Never');
    expect(unreadablePolicy(hostPod(annotated('Keep')), says('EvictAfter=soon'))).to.equal('EvictAfter=soon');
  });
});

describe('disconnectionPatch', () => {
  const lost = (key: string, tolerationSeconds?: number): Toleration => ({
    ...{ key, operator: 'Exists', effect: 'NoExecute' },
    ...(tolerationSeconds !== undefined && { tolerationSeconds }),
  });
  const other: Toleration = { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' };
  const defaults = [lost(NOT_READY, 300), lost(UNREACHABLE, 300)];

  function tolerations(present: readonly Toleration[], policy: DisconnectionPolicy): unknown {
    const pod = hostPod({ spec: { tolerations: present } });
    const patch = disconnectionPatch(pod, policy) as { spec?: { tolerations?: unknown } } | undefined;
    return patch?.spec?.tolerations;
  }

  it('changes nothing for Evict', () => {
    expect(tolerations(defaults, EVICT)).to.be.undefined;
  });

  it('takes the time limits away for Keep, and leaves other tolerations', () => {
    expect(tolerations([other, ...defaults], KEEP)).to.deep.equal([other, lost(NOT_READY), lost(UNREACHABLE)]);
  });

  it('sets the time limits for EvictAfter, in whole seconds', () => {
    expect(tolerations(defaults, AFTER)).to.deep.equal([lost(NOT_READY, 91), lost(UNREACHABLE, 91)]);
  });

  it('adds what is missing', () => {
    expect(tolerations([], AFTER)).to.deep.equal([lost(NOT_READY, 91), lost(UNREACHABLE, 91)]);
    expect(tolerations([lost(NOT_READY, 91)], AFTER)).to.deep.equal([lost(NOT_READY, 91), lost(UNREACHABLE, 91)]);
  });

  it('has nothing to do for a pod that obeys', () => {
    expect(tolerations([lost(NOT_READY), lost(UNREACHABLE)], KEEP)).to.be.undefined;
    expect(tolerations([lost(NOT_READY, 91), lost(UNREACHABLE, 91)], AFTER)).to.be.undefined;
  });

  it('adds nothing for a pod that tolerates everything', () => {
    expect(tolerations([{ operator: 'Exists' }], KEEP)).to.be.undefined;
    expect(tolerations([{ operator: 'Exists', effect: 'NoExecute' }], KEEP)).to.be.undefined;
  });

  it('names the pod that it is for', () => {
    expect(disconnectionPatch(hostPod(), KEEP)).to.have.nested.property('metadata.uid', 'host-uid');
  });

  it('copes with a pod without tolerations', () => {
    expect(disconnectionPatch(hostPod(), KEEP)).to.have.nested.property('spec.tolerations').with.length(2);
  });
});

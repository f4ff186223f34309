import { expect } from 'chai';
import type { Pod, Toleration } from '../../../../src/apis/core.js';
import { DISCONNECTION_POLICY_ANNOTATION, OWN_TOLERATIONS_ANNOTATION } from '../../../../src/apis/names.js';
import type { DisconnectionPolicy } from '../../../../src/clustertree/cluster/disconnection-policy.js';
import {
  disconnectionPatch,
  policyFor,
  policyGeneration,
  unreadablePolicy,
  withOwnTolerations,
} from '../../../../src/clustertree/pod/disconnection.js';
import { deepFreeze, hostPod } from '../../../support/pods.js';

const EVICT: DisconnectionPolicy = { kind: 'Evict' };
const KEEP: DisconnectionPolicy = { kind: 'Keep' };
const after = (seconds: number): DisconnectionPolicy => ({ kind: 'EvictAfter', afterMs: seconds * 1000 });

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';

function lost(key: string, tolerationSeconds?: number): Toleration {
  return {
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    ...(tolerationSeconds !== undefined && { tolerationSeconds }),
  };
}

const DEFAULTS = [lost(NOT_READY, 300), lost(UNREACHABLE, 300)];
const GPU: Toleration = { key: 'gpu', operator: 'Exists' };

function podWith(tolerations: readonly Toleration[], annotations: Record<string, string> = {}): Pod {
  return deepFreeze(hostPod({ metadata: { name: 'a', uid: 'u', generation: 1, annotations }, spec: { tolerations } }));
}

interface Patch {
  readonly metadata: { readonly uid: string; readonly annotations: Record<string, string> };
  readonly spec: { readonly tolerations: readonly Toleration[] };
}

/** The pod as the API server leaves it. */
function apply(pod: Pod, policy: DisconnectionPolicy, carried = true): Pod {
  const patch = disconnectionPatch(pod, policy, carried) as Patch | undefined;
  if (patch === undefined) return pod;
  expect(patch.metadata.uid).to.equal(pod.metadata?.uid);
  return deepFreeze({
    ...pod,
    metadata: {
      ...pod.metadata,
      generation: (pod.metadata?.generation ?? 0) + 1,
      annotations: { ...pod.metadata?.annotations, ...patch.metadata.annotations },
    },
    spec: { ...pod.spec!, tolerations: patch.spec.tolerations },
  });
}

function tolerationsOf(pod: Pod): readonly Toleration[] | undefined {
  return pod.spec?.tolerations;
}

describe('policyFor', () => {
  const namespace = (text: string): object => ({
    metadata: { annotations: { [DISCONNECTION_POLICY_ANNOTATION]: text } },
  });
  const pod = (text?: string): Pod =>
    podWith([], text === undefined ? {} : { [DISCONNECTION_POLICY_ANNOTATION]: text });

  const rows: [string, Pod, object | undefined, DisconnectionPolicy][] = [
    ["the pod's own", pod('Keep'), namespace('EvictAfter=1h'), KEEP],
    ["else its namespace's", pod(), namespace('EvictAfter=1h'), after(3600)],
    ["else its Cluster's", pod(), undefined, after(7)],
    ['not one that nobody can read', pod('Sometimes'), namespace('Keep'), KEEP],
    ['Evict too, against a Cluster that says otherwise', pod('Evict'), namespace('Keep'), EVICT],
  ];
  for (const [name, of, within, expected] of rows) {
    it(`is ${name}`, () => {
      expect(policyFor(of, within, after(7))).to.deep.equal(expected);
    });
  }

  it('has a companion that finds what nobody can read', () => {
    expect(unreadablePolicy(pod('Sometimes'), undefined)).to.equal('Sometimes');
    expect(unreadablePolicy(pod('Keep'), namespace('EvictAfter='))).to.equal('EvictAfter=');
    expect(unreadablePolicy(pod('Keep'), undefined)).to.equal(undefined);
  });
});

describe('disconnectionPatch', () => {
  it('leaves a pod alone that no policy was ever for', () => {
    expect(disconnectionPatch(podWith(DEFAULTS), EVICT, true)).to.equal(undefined);
  });

  const rows: [string, readonly Toleration[], DisconnectionPolicy, readonly Toleration[]][] = [
    ['Keep takes the limits away', [GPU, ...DEFAULTS], KEEP, [GPU, lost(NOT_READY), lost(UNREACHABLE)]],
    ['EvictAfter sets them', DEFAULTS, after(1800), [lost(NOT_READY, 1800), lost(UNREACHABLE, 1800)]],
    ['EvictAfter may be shorter', DEFAULTS, after(5), [lost(NOT_READY, 5), lost(UNREACHABLE, 5)]],
    ['parts of a second count as one', DEFAULTS, after(0.2), [lost(NOT_READY, 1), lost(UNREACHABLE, 1)]],
    ['a host without default tolerations gets them', [GPU], KEEP, [GPU, lost(NOT_READY), lost(UNREACHABLE)]],
    ['one that is missing is added', [lost(NOT_READY, 300)], after(9), [lost(NOT_READY, 9), lost(UNREACHABLE, 9)]],
    [
      'one of another effect does not count',
      [{ key: NOT_READY, operator: 'Exists', effect: 'NoSchedule' }],
      after(9),
      [{ key: NOT_READY, operator: 'Exists', effect: 'NoSchedule' }, lost(NOT_READY, 9), lost(UNREACHABLE, 9)],
    ],
    [
      'one that wants another value does not count',
      [{ key: NOT_READY, operator: 'Equal', value: 'x', effect: 'NoExecute' }, lost(UNREACHABLE, 300)],
      KEEP,
      [{ key: NOT_READY, operator: 'Equal', value: 'x', effect: 'NoExecute' }, lost(UNREACHABLE), lost(NOT_READY)],
    ],
    [
      'one without operator is enough',
      [{ key: NOT_READY, effect: 'NoExecute', tolerationSeconds: 4 }, lost(UNREACHABLE, 300)],
      KEEP,
      [{ key: NOT_READY, effect: 'NoExecute' }, lost(UNREACHABLE)],
    ],
  ];
  for (const [name, before, policy, expected] of rows) {
    it(`obeys: ${name}`, () => {
      const pod = apply(podWith(before), policy);
      expect(tolerationsOf(pod)).to.deep.equal(expected);
      expect(disconnectionPatch(pod, policy, true)).to.equal(undefined);
    });

    it(`can be taken back: ${name}`, () => {
      const pod = apply(apply(podWith(before), policy), EVICT);
      const own = (toleration: Toleration): boolean => before.some((one) => one.key === toleration.key);
      for (const toleration of tolerationsOf(pod) ?? []) {
        if (before.some((one) => JSON.stringify(one) === JSON.stringify(toleration))) continue;
        // What was added can't be removed, and means what its absence meant.
        expect(toleration.tolerationSeconds, JSON.stringify(toleration)).to.equal(0);
        expect(own(toleration) && toleration.effect !== 'NoExecute').to.equal(false);
      }
      expect(disconnectionPatch(pod, EVICT, true)).to.equal(undefined);
    });
  }

  it('never touches a pod that tolerates everything', () => {
    for (const toleration of [{ operator: 'Exists' }, { operator: 'Exists', effect: 'NoExecute' }]) {
      expect(disconnectionPatch(podWith([toleration]), after(5), true)).to.equal(undefined);
      expect(disconnectionPatch(podWith([toleration]), KEEP, true)).to.equal(undefined);
    }
  });

  it('goes from any policy to any other, and back to what the pod said itself', () => {
    const own = [lost(NOT_READY, 30), lost(UNREACHABLE), GPU];
    let pod = podWith(own);
    for (const policy of [after(60), KEEP, after(10), EVICT, KEEP, EVICT]) {
      pod = apply(pod, policy);
      expect(disconnectionPatch(pod, policy, true)).to.equal(undefined);
    }
    expect(tolerationsOf(pod)).to.deep.equal(own);
  });

  it('never takes a toleration away, which an API server would refuse', () => {
    const before = [GPU, lost(NOT_READY, 30), { operator: 'Exists', effect: 'NoSchedule' }];
    const timeless = ({ tolerationSeconds: _seconds, ...rest }: Toleration): string => JSON.stringify(rest);
    let pod = podWith(before);
    for (const policy of [KEEP, EVICT, after(3)]) {
      const kept = new Set((tolerationsOf(pod) ?? []).map(timeless));
      pod = apply(pod, policy);
      expect([...kept].every((one) => (tolerationsOf(pod) ?? []).map(timeless).includes(one))).to.equal(true);
    }
  });

  it('starts anew when somebody has spoilt the annotation', () => {
    for (const text of ['', '{', '[]', '{"tolerations":7}', 'null']) {
      const pod = podWith(DEFAULTS, { [OWN_TOLERATIONS_ANNOTATION]: text });
      expect(disconnectionPatch(pod, EVICT, true), text).to.equal(undefined);
      expect(tolerationsOf(apply(pod, KEEP))).to.deep.equal([lost(NOT_READY), lost(UNREACHABLE)]);
    }
  });
});

describe('withOwnTolerations', () => {
  it('is the pod itself when no policy was written', () => {
    const pod = podWith(DEFAULTS);
    expect(withOwnTolerations(pod)).to.equal(pod);
  });

  for (const policy of [KEEP, after(5)]) {
    it(`undoes ${policy.kind}, whatever the pod said before`, () => {
      for (const own of [[], [GPU], DEFAULTS, [lost(NOT_READY, 30), GPU], [GPU, lost(UNREACHABLE)]]) {
        const pod = apply(podWith(own), policy);
        expect(tolerationsOf(withOwnTolerations(pod))).to.deep.equal(own);
        expect(tolerationsOf(withOwnTolerations(apply(pod, EVICT)))).to.deep.equal(own);
      }
    });
  }
});

describe('policyGeneration', () => {
  it('is the generation that the write made', () => {
    const pod = apply(podWith(DEFAULTS), KEEP);
    expect(policyGeneration(pod)).to.equal(2);
    expect(pod.metadata?.generation).to.equal(2);
  });

  it('is not known when the member still lacked something, or the pod was never changed', () => {
    expect(policyGeneration(apply(podWith(DEFAULTS), KEEP, false))).to.equal(undefined);
    expect(policyGeneration(podWith(DEFAULTS))).to.equal(undefined);
  });

  it('does not count on another pod that was made from a copy', () => {
    const pod = apply(podWith(DEFAULTS), KEEP);
    const copy: Pod = { ...pod, metadata: { ...pod.metadata, uid: 'another' } };
    expect(policyGeneration(copy)).to.equal(undefined);
  });

  it('is not known on a host that counts none', () => {
    const pod = hostPod({ metadata: { name: 'a', uid: 'u', generation: undefined }, spec: { tolerations: DEFAULTS } });
    expect(policyGeneration(apply(pod, KEEP))).to.equal(undefined);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { Pod, PodStatus } from '../../../../src/apis/core.js';
import { failedStatus } from '../../../../src/clustertree/pod/failed-status.js';
import { mergeStatus } from '../../../../src/clustertree/pod/status.js';
import { statusPatch } from '../../../../src/clustertree/pod/status-patch.js';
import { asJson, condition, deepFreeze, hostPod, MARKED, memberPod } from '../../../support/pods.js';
import { applyStrategic } from '../../../support/strategic-merge.js';

function patch(present: PodStatus, wanted: PodStatus): unknown {
  const result = statusPatch(deepFreeze(hostPod({ status: present })), deepFreeze(wanted)) as { status: unknown };
  return (result as unknown as undefined | { status: unknown }) ? asJson(result.status) : undefined;
}

const APP = { name: 'app', image: 'i', imageID: 'i', ready: true, restartCount: 0 };

describe('statusPatch', () => {
  it('is nothing when nothing differs', () => {
    const status = { phase: 'Running', conditions: [condition('Ready', 'True')], podIPs: [{ ip: '10.1.0.7' }] };
    expect(statusPatch(hostPod({ status }), status)).to.be.undefined;
    expect(statusPatch(hostPod(), {})).to.be.undefined;
  });

  it('names the UID that it means', () => {
    expect(statusPatch(hostPod(), { phase: 'Running' })).to.deep.equal({
      metadata: { uid: 'host-uid' },
      status: { phase: 'Running' },
    });
  });

  it('records the UID of the member pod once, also when nothing else differs', () => {
    const extra = { memberUid: 'member-uid' };
    expect(statusPatch(hostPod(), {}, extra)).to.deep.equal({
      metadata: { uid: 'host-uid', annotations: { 'kosmos.io/member-uid': 'member-uid' } },
    });
    expect(statusPatch(hostPod({ metadata: MARKED }), {}, extra)).to.be.undefined;
  });

  it('never overwrites the recorded UID', () => {
    const pod = hostPod({ metadata: { uid: 'host-uid', ...MARKED } });
    expect(statusPatch(pod, { phase: 'Running' }, { memberUid: 'other' })).to.deep.equal({
      metadata: { uid: 'host-uid' },
      status: { phase: 'Running' },
    });
  });

  it('sends only what differs, and null for what is over', () => {
    const present = { phase: 'Pending', reason: 'Old', podIP: '10.1.0.7', startTime: '2026-01-01T00:00:00Z' };
    const wanted = { phase: 'Running', podIP: '10.1.0.7', startTime: '2026-01-01T00:00:00Z' };
    expect(patch(present, wanted)).to.deep.equal({ phase: 'Running', reason: null });
  });

  it('replaces lists of containers as a whole', () => {
    const other = { ...APP, restartCount: 1 };
    expect(patch({ containerStatuses: [APP] }, { containerStatuses: [other] })).to.deep.equal({
      containerStatuses: [other],
    });
    expect(patch({ containerStatuses: [APP] }, {})).to.deep.equal({ containerStatuses: null });
  });

  it('replaces lists of addresses, which a strategic merge patch would merge', () => {
    expect(patch({ podIPs: [{ ip: 'a' }] }, { podIPs: [{ ip: 'b' }] })).to.deep.equal({
      podIPs: [{ ip: 'b' }, { $patch: 'replace' }],
    });
    expect(patch({ hostIPs: [{ ip: 'a' }] }, {})).to.deep.equal({ hostIPs: null });
  });

  it('replaces resources, whose keys a strategic merge patch would merge', () => {
    const present = { allocatedResources: { cpu: '1', memory: '1Gi' }, resources: { limits: { cpu: '1' } } };
    expect(patch(present, { allocatedResources: { cpu: '2' } })).to.deep.equal({
      allocatedResources: { cpu: '2', $patch: 'replace' },
      resources: null,
    });
  });

  it('does not touch what the host owns', () => {
    const present = { qosClass: 'Burstable', nominatedNodeName: 'n' };
    expect(patch(present, { qosClass: 'BestEffort' })).to.be.undefined;
  });
});

describe('statusPatch: conditions', () => {
  it('sends a condition whole, without those that are equal', () => {
    const [ready, initialized] = [condition('Ready', 'True'), condition('Initialized', 'True')];
    expect(patch({ conditions: [initialized] }, { conditions: [initialized, ready] })).to.deep.equal({
      conditions: [ready],
    });
  });

  it('clears reason and message that are over', () => {
    const old = condition('Ready', 'False', { reason: 'R', message: 'm' });
    expect(patch({ conditions: [old] }, { conditions: [condition('Ready', 'True')] })).to.deep.equal({
      conditions: [{ reason: null, message: null, ...condition('Ready', 'True') }],
    });
    const next = condition('Ready', 'False', { reason: 'S', message: 'n' });
    expect(patch({ conditions: [old] }, { conditions: [next] })).to.deep.equal({ conditions: [next] });
  });

  it('deletes conditions that are not wanted', () => {
    expect(patch({ conditions: [condition('PodResizePending', 'True')] }, {})).to.deep.equal({
      conditions: [{ $patch: 'delete', type: 'PodResizePending' }],
    });
  });

  it('does not mind the order and the probe time', () => {
    const [ready, initialized] = [condition('Ready', 'True'), condition('Initialized', 'True')];
    const present = { conditions: [{ ...initialized, lastProbeTime: '2026-01-01T00:00:00Z' }, ready] };
    expect(patch(present, { conditions: [ready, initialized] })).to.be.undefined;
  });
});

describe('statusPatch: fields that the host may drop', () => {
  it('is nothing when only a field differs that the host does not seem to know', () => {
    const present = { phase: 'Running', containerStatuses: [APP], conditions: [condition('Ready', 'True')] };
    const wanted = {
      ...present,
      observedGeneration: 2,
      hostIPs: [{ ip: 'a' }],
      resize: 'Deferred',
      resources: { limits: { cpu: '1' } },
      allocatedResources: { cpu: '1' },
      containerStatuses: [{ ...APP, stopSignal: 'SIGTERM', resources: { limits: { cpu: '1' } } }],
      conditions: [condition('Ready', 'True', { observedGeneration: 2 })],
    };
    expect(patch(present, wanted)).to.be.undefined;
  });

  it('sends them together with anything else', () => {
    const wanted = { phase: 'Running', observedGeneration: 2 };
    expect(patch({ phase: 'Pending' }, wanted)).to.deep.equal(wanted);
  });

  it('sends them alone when the host has such a field', () => {
    expect(patch({ observedGeneration: 1 }, { observedGeneration: 2 })).to.deep.equal({ observedGeneration: 2 });
    expect(patch({ resize: 'Deferred' }, {})).to.deep.equal({ resize: null });
    const present = { conditions: [condition('Ready', 'True', { observedGeneration: 1 })] };
    const wanted = { conditions: [condition('Ready', 'True', { observedGeneration: 2 })] };
    expect(patch(present, wanted)).to.deep.equal(wanted);
    const known = { containerStatuses: [{ ...APP, stopSignal: 'SIGTERM' }] };
    const other = { containerStatuses: [{ ...APP, stopSignal: 'SIGINT' }] };
    expect(patch(known, other)).to.deep.equal(other);
  });

  it('sends the list when a container is new', () => {
    const wanted = { containerStatuses: [APP, { ...APP, name: 'b' }] };
    expect(patch({ containerStatuses: [APP] }, wanted)).to.deep.equal(wanted);
  });
});

describe('statusPatch: convergence', () => {
  const word = fc.constantFrom('a', 'b', 'c');
  const ips = fc.option(
    fc.uniqueArray(
      word.map((ip) => ({ ip })),
      { selector: ({ ip }) => ip, minLength: 1 },
    ),
    { nil: undefined },
  );
  const conditions = fc.uniqueArray(
    fc
      .record({
        type: fc.constantFrom(
          'Ready',
          'ContainersReady',
          'PodScheduled',
          'DisruptionTarget',
          'x.org/gate',
          'PodResizePending',
        ),
        status: fc.constantFrom('True', 'False'),
        reason: fc.option(word, { nil: undefined }),
        observedGeneration: fc.constantFrom(1, 2),
      })
      .map(({ type, status, ...more }) => condition(type, status, more)),
    { selector: ({ type }) => type },
  );
  const state = fc.constantFrom(
    { running: { startedAt: '2026-01-01T00:00:00Z' } },
    { terminated: { exitCode: 0 } },
    { terminated: { exitCode: 1 } },
    { waiting: { reason: 'x' } },
  );
  const status = fc.record({
    phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed'),
    reason: fc.option(word, { nil: undefined }),
    podIPs: ips,
    hostIPs: ips,
    startTime: fc.option(fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'), { nil: undefined }),
    allocatedResources: fc.option(fc.dictionary(word, word, { minKeys: 1 }), { nil: undefined }),
    observedGeneration: fc.constantFrom(1, 2),
    containerStatuses: fc.option(
      state.map((value) => [{ ...APP, state: value }]),
      { nil: undefined },
    ),
    conditions,
  });
  const spec = { restartPolicy: 'Never', readinessGates: [{ conditionType: 'x.org/gate' }] };

  function writeStatus(pod: Pod, wanted: PodStatus): Pod {
    return applyStrategic(pod, statusPatch(pod, wanted) ?? {});
  }

  it('has nothing left to write after a merged status was written', () => {
    fc.assert(
      fc.property(status, status, fc.boolean(), (host, member, inStep) => {
        const pod = hostPod({ metadata: { uid: 'host-uid', generation: 2 }, spec, status: host });
        const copy = memberPod({ status: member });
        const after = writeStatus(pod, mergeStatus(pod, copy, { inStep }));
        expect(statusPatch(after, mergeStatus(after, copy, { inStep }))).to.be.undefined;
      }),
    );
  });

  it('has nothing left to write after a failure was written, at any later time', () => {
    fc.assert(
      fc.property(status, fc.boolean(), (host, disruption) => {
        const failure = { reason: 'MemberPodLost', message: 'm', disruption };
        const pod = hostPod({ status: host });
        const after = writeStatus(pod, failedStatus(pod, { ...failure, now: 1_000_000 }));
        expect(after.status?.phase).to.equal('Failed');
        expect(statusPatch(after, failedStatus(after, { ...failure, now: 9_000_000 }))).to.be.undefined;
      }),
    );
  });

  it('never brings a pod back that has ended', () => {
    fc.assert(
      fc.property(status, status, (host, member) => {
        const pod = hostPod({ spec, status: host });
        const after = writeStatus(pod, mergeStatus(pod, memberPod({ status: member }), { inStep: true }));
        if (host.phase === 'Failed' || host.phase === 'Succeeded') expect(after.status?.phase).to.equal(host.phase);
        const [before, now] = [host.containerStatuses?.[0]?.state, after.status?.containerStatuses?.[0]?.state];
        if (before && 'terminated' in before && now) expect(now).to.have.property('terminated');
      }),
    );
  });
});

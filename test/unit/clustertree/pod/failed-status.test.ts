import { expect } from 'chai';
import type { PodStatus } from '../../../../src/apis/core.js';
import { failedStatus } from '../../../../src/clustertree/pod/failed-status.js';
import { asJson, condition, deepFreeze, hostPod } from '../../../support/pods.js';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const TIME = '2026-01-02T03:04:05Z';
const FAILURE = { reason: 'MemberPodLost', message: 'It is gone.', disruption: true, now: NOW };

function fail(status: PodStatus | undefined, failure: Partial<typeof FAILURE> = {}): Record<string, unknown> {
  const pod = deepFreeze(hostPod(status && { status }));
  return asJson(failedStatus(pod, { ...FAILURE, ...failure })) as Record<string, unknown>;
}

const APP = { name: 'app', image: 'i', imageID: 'i', restartCount: 2 };

describe('failedStatus', () => {
  it('is Failed, with the reason and message', () => {
    expect(fail({ phase: 'Running', reason: 'Old' })).to.include({
      phase: 'Failed',
      reason: 'MemberPodLost',
      message: 'It is gone.',
    });
  });

  it('keeps the rest of the status', () => {
    const status = { podIP: '10.1.0.7', startTime: TIME, qosClass: 'Burstable', observedGeneration: 3 };
    expect(fail(status)).to.include(status);
  });

  it('is not ready, with the reason of a kubelet', () => {
    const conditions = [condition('Ready', 'True', { observedGeneration: 2 }), condition('ContainersReady', 'False')];
    expect(fail({ conditions }, { disruption: false })['conditions']).to.deep.equal([
      { type: 'Ready', status: 'False', reason: 'PodFailed', lastTransitionTime: TIME, observedGeneration: 2 },
      condition('ContainersReady', 'False', { reason: 'PodFailed' }),
    ]);
  });

  it('marks a disruption, so that a Job does not count it as a failure of the program', () => {
    expect(fail(undefined)['conditions']).to.deep.include({
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'MemberPodLost',
      message: 'It is gone.',
      lastTransitionTime: TIME,
    });
  });

  it('keeps the conditions of others and drops the one about the place in the member', () => {
    const gate = condition('example.org/gate', 'True');
    const conditions = [condition('kosmos.io/MemberScheduled', 'False'), gate];
    const types = (fail({ conditions })['conditions'] as { type: string }[]).map(({ type }) => type);
    expect(types).to.deep.equal(['example.org/gate', 'Ready', 'ContainersReady', 'DisruptionTarget']);
  });

  it('keeps the time of a condition that it does not change, and gives one that lacks it', () => {
    const conditions = [{ type: 'Ready', status: 'False' }];
    expect(fail({ conditions }, { disruption: false })['conditions']).to.deep.include({
      type: 'Ready',
      status: 'False',
      reason: 'PodFailed',
      lastTransitionTime: TIME,
    });
  });

  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    it(`leaves none of ${list} running or waiting`, () => {
      const statuses = [
        {
          ...APP,
          ready: true,
          started: true,
          containerID: 'c://1',
          state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
        },
        { ...APP, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } },
        { ...APP, ready: false },
      ];
      const lost = { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'It is gone.', finishedAt: TIME };
      const ended = { ...APP, ready: false, started: false, state: { terminated: lost } };
      expect(fail({ [list]: statuses })[list]).to.deep.equal([
        {
          ...ended,
          containerID: 'c://1',
          state: { terminated: { ...lost, startedAt: '2026-01-01T00:00:00Z', containerID: 'c://1' } },
        },
        ended,
        ended,
      ]);
    });
  }

  it('leaves containers as they are that have ended', () => {
    const containerStatuses = [{ ...APP, ready: false, state: { terminated: { exitCode: 0 } } }];
    expect(fail({ containerStatuses })).to.deep.include({ containerStatuses });
  });
});

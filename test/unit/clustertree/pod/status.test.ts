import { expect } from 'chai';
import type { ContainerStatus, PodStatus } from '../../../../src/apis/core.js';
import { isObserved, mergeStatus } from '../../../../src/clustertree/pod/status.js';
import { APP, asJson, condition, deepFreeze, hostPod, memberPod, type PodParts } from '../../../support/pods.js';

const IN_STEP = { inStep: true };

function container(
  name: string,
  state: ContainerStatus['state'],
  more: Partial<ContainerStatus> = {},
): ContainerStatus {
  return { name, image: 'i', imageID: 'i', ready: false, restartCount: 0, state, ...more };
}

const RUNNING = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const terminated = (exitCode: number): ContainerStatus['state'] => ({ terminated: { exitCode } });

function merge(
  member: PodStatus,
  host: PodStatus = {},
  parts: PodParts = {},
  options = IN_STEP,
): Record<string, unknown> {
  const from = deepFreeze(hostPod({ ...parts, status: host }));
  return asJson(mergeStatus(from, deepFreeze(memberPod({ status: member })), options)) as Record<string, unknown>;
}

describe('isObserved', () => {
  it('believes a kubelet that says which generation it has seen', () => {
    const pod = (observedGeneration: number | undefined): PodParts => ({
      metadata: { generation: 3 },
      status: { observedGeneration },
    });
    expect(isObserved(memberPod(pod(3)))).to.be.true;
    expect(isObserved(memberPod(pod(2)))).to.be.false;
  });

  it('takes one that says nothing for up to date', () => {
    expect(isObserved(memberPod())).to.be.true;
  });
});

describe('mergeStatus', () => {
  it('mirrors the whole status of a running pod', () => {
    const member: PodStatus = {
      phase: 'Running',
      startTime: '2026-01-01T00:00:00Z',
      hostIP: '172.16.0.4',
      hostIPs: [{ ip: '172.16.0.4' }],
      podIP: '10.1.0.7',
      podIPs: [{ ip: '10.1.0.7' }, { ip: 'fd00::7' }],
      conditions: [condition('Ready', 'True')],
      containerStatuses: [container('app', RUNNING, { ready: true, restartCount: 3, started: true })],
      resize: 'InProgress',
      resources: { requests: { cpu: '1' } },
      allocatedResources: { cpu: '1' },
    };
    expect(merge(member)).to.deep.equal({
      ...(asJson(member) as object),
      observedGeneration: 1,
      conditions: [condition('Ready', 'True', { observedGeneration: 1 })],
    });
  });

  it('leaves alone what the host owns', () => {
    const host = {
      qosClass: 'Burstable',
      nominatedNodeName: 'n',
      resourceClaimStatuses: [{ name: 'c' }],
      extendedResourceClaimStatus: { resourceClaimName: 'r', requestMappings: [] },
    };
    const member = { phase: 'Running', qosClass: 'BestEffort', nominatedNodeName: 'm', resourceClaimStatuses: [] };
    expect(merge(member, host)).to.deep.include(host);
  });

  it('keeps the first start time', () => {
    expect(merge({ startTime: '2026-01-02T00:00:00Z' })).to.include({ startTime: '2026-01-02T00:00:00Z' });
    const host = { startTime: '2026-01-01T00:00:00Z' };
    expect(merge({ startTime: '2026-01-02T00:00:00Z' }, host)).to.include(host);
  });

  it('forgets reasons and messages that are over', () => {
    const host = { phase: 'Pending', reason: 'Old', message: 'old' };
    expect(merge({ phase: 'Running' }, host)).not.to.have.any.keys('reason', 'message');
  });

  it('keeps the phase while the member has none', () => {
    expect(merge({}, { phase: 'Pending' })).to.include({ phase: 'Pending' });
  });

  it('shows the reason of a pod that the member evicted', () => {
    const member = { phase: 'Failed', reason: 'Evicted', message: 'low on memory' };
    expect(merge(member, { phase: 'Running' })).to.include(member);
  });

  it('works on pods without status and spec', () => {
    expect(asJson(mergeStatus({}, {}, IN_STEP))).to.deep.equal({ conditions: [] });
    const statuses = {
      containerStatuses: [container('app', RUNNING)],
      initContainerStatuses: [container('i', RUNNING)],
    };
    expect(asJson(mergeStatus({}, { status: statuses }, IN_STEP))).to.deep.equal({ conditions: [] });
  });
});

describe('mergeStatus: a pod that has ended', () => {
  for (const phase of ['Succeeded', 'Failed']) {
    it(`stays ${phase} whatever the member pod does`, () => {
      const host = { phase, reason: 'R', conditions: [condition('Ready', 'False')] };
      expect(merge({ phase: 'Running', podIP: '10.1.0.7' }, host)).to.deep.equal(host);
      expect(merge({ phase: phase === 'Failed' ? 'Succeeded' : 'Failed' }, host)).to.deep.equal(host);
    });

    it(`takes over the last details of a member pod that is ${phase} too`, () => {
      const containerStatuses = [container('app', terminated(0))];
      expect(merge({ phase, containerStatuses }, { phase })).to.deep.include({ containerStatuses });
    });
  }
});

describe('mergeStatus: generations', () => {
  it("says the host pod's generation when the member is in step", () => {
    expect(merge({ observedGeneration: 1 }, { observedGeneration: 2 }, { metadata: { generation: 3 } })).to.include({
      observedGeneration: 3,
    });
  });

  it('says what it said before while it is not', () => {
    const parts = { metadata: { generation: 3 } };
    expect(merge({ observedGeneration: 9 }, { observedGeneration: 2 }, parts, { inStep: false })).to.include({
      observedGeneration: 2,
    });
  });
});

describe('mergeStatus: addresses', () => {
  const rows: [string, PodStatus, object][] = [
    [
      'fills in the lists',
      { hostIP: '1.1.1.1', podIP: '2.2.2.2' },
      { hostIPs: [{ ip: '1.1.1.1' }], podIPs: [{ ip: '2.2.2.2' }] },
    ],
    [
      'fills in the first addresses',
      { hostIPs: [{ ip: '1.1.1.1' }], podIPs: [{ ip: '2.2.2.2' }] },
      { hostIP: '1.1.1.1', podIP: '2.2.2.2' },
    ],
    [
      'corrects a first address that differs from the list',
      { hostIP: '9.9.9.9', hostIPs: [{ ip: '1.1.1.1' }], podIP: '9.9.9.9', podIPs: [{ ip: '2.2.2.2' }] },
      { hostIP: '1.1.1.1', podIP: '2.2.2.2' },
    ],
  ];
  for (const [name, member, expected] of rows) {
    it(name, () => {
      expect(merge(member)).to.deep.include(expected);
    });
  }

  it('removes addresses that the member pod has lost', () => {
    const host = { podIP: '2.2.2.2', podIPs: [{ ip: '2.2.2.2' }], hostIP: '1.1.1.1', hostIPs: [{ ip: '1.1.1.1' }] };
    expect(merge({ podIPs: [], podIP: '' }, host)).not.to.have.any.keys('podIP', 'podIPs', 'hostIP', 'hostIPs');
  });
});

describe('mergeStatus: containers', () => {
  const spec = {
    containers: [APP],
    initContainers: [{ name: 'init' }],
    ephemeralContainers: [{ name: 'debug' }],
    restartPolicy: 'Never',
  };
  const lists = [
    ['containerStatuses', 'app'],
    ['initContainerStatuses', 'init'],
    ['ephemeralContainerStatuses', 'debug'],
  ] as const;

  for (const [list, name] of lists) {
    it(`mirrors ${list}`, () => {
      const statuses = { [list]: [container(name, RUNNING)] };
      expect(merge(statuses, {}, { spec })).to.deep.include(statuses);
    });

    it(`leaves containers out of ${list} that only the member has`, () => {
      expect(merge({ [list]: [container('proxy', RUNNING)] }, {}, { spec })).not.to.have.property(list);
    });

    it(`brings nothing of ${list} back that has ended for good, which the host would reject`, () => {
      const host = { [list]: [container(name, terminated(1))] };
      expect(merge({ [list]: [container(name, RUNNING)] }, host, { spec })).to.deep.include(host);
    });
  }

  it('follows a container that may restart', () => {
    const host = { containerStatuses: [container('app', terminated(1))] };
    const member = { containerStatuses: [container('app', RUNNING, { restartCount: 1 })] };
    expect(merge(member, host, { spec: { ...spec, restartPolicy: 'OnFailure' } })).to.deep.include(member);
    const debug = { ephemeralContainerStatuses: [container('debug', RUNNING)] };
    const ended = { ephemeralContainerStatuses: [container('debug', terminated(1))] };
    expect(merge(debug, ended, { spec: { ...spec, restartPolicy: 'Always' } })).to.deep.include(ended);
  });

  it('takes over a container that has ended again', () => {
    const host = { containerStatuses: [container('app', terminated(1))] };
    const member = { containerStatuses: [container('app', terminated(2))] };
    expect(merge(member, host, { spec })).to.deep.include(member);
  });

  it('takes over a container without state', () => {
    const member = { containerStatuses: [container('app', undefined)] };
    expect(merge(member, {}, { spec })['containerStatuses']).to.have.lengthOf(1);
    const host = { containerStatuses: [container('app', undefined)] };
    expect(merge({ containerStatuses: [container('app', RUNNING)] }, host, { spec })).to.deep.include({
      containerStatuses: [container('app', RUNNING)],
    });
  });
});

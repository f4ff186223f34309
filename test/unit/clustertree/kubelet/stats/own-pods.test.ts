import { expect } from 'chai';
import { startTimes } from '../../../../../src/clustertree/kubelet/stats/own-pods.js';
import { ownPodOf, startedAt, statsPod, statsPods } from '../../../../support/stats.js';

describe('ownPods', () => {
  it('knows each pod under the names and UIDs of both sides, in order of their names', () => {
    expect(statsPods(statsPod('web-2', 'n2'), statsPod('web-1')).pods).to.deep.equal([
      ownPodOf('web-1'),
      ownPodOf('web-2', 'n2'),
    ]);
  });

  it('finds a pod by name only on the node that runs it', () => {
    const pods = statsPods(statsPod('web', 'n1'));
    expect(pods.find('n1', 'shop', 'web')).to.deep.equal(ownPodOf('web'));
    expect(pods.find('n2', 'shop', 'web')).to.equal(undefined);
    expect(pods.find('n1', 'other', 'web')).to.equal(undefined);
  });

  it('finds a pod by the UID that the member gave it', () => {
    const pods = statsPods(statsPod('web'));
    expect(pods.withUid('member-web')).to.deep.equal(ownPodOf('web'));
    expect(pods.withUid('host-web')).to.equal(undefined);
  });

  it('leaves out pods that have no member pod, none that is scheduled, or one that has ended', () => {
    const waiting = statsPod('waiting', '');
    const failed = statsPod('failed', 'n1', { status: { phase: 'Failed' } });
    const done = statsPod('done', 'n1', { status: { phase: 'Succeeded' } });
    const alone = { ...statsPod('alone'), member: undefined as never };
    expect(statsPods(waiting, failed, done, alone).pods).to.deep.equal([]);
  });
});

describe('startTimes', () => {
  it('tells when running containers of every kind started', () => {
    const { status } = startedAt('2026-01-01T00:00:10Z', 'app');
    const running = (name: string, at: string): never => ({ name, state: { running: { startedAt: at } } }) as never;
    const pod = {
      status: {
        ...status,
        initContainerStatuses: [running('sidecar', '2026-01-01T00:00:05Z')],
        ephemeralContainerStatuses: [running('debugger', '2026-01-01T00:01:00Z')],
      },
    };
    const base = Date.parse('2026-01-01T00:00:00Z');
    expect([...startTimes(pod)]).to.deep.equal([
      ['app', base + 10_000],
      ['sidecar', base + 5_000],
      ['debugger', base + 60_000],
    ]);
  });

  it('knows nothing of containers that wait or have ended', () => {
    const waiting = { name: 'a', state: { waiting: {} } } as never;
    const ended = { name: 'b', state: { terminated: { exitCode: 0 } } } as never;
    expect(startTimes({ status: { containerStatuses: [waiting, ended] } }).size).to.equal(0);
    expect(startTimes({}).size).to.equal(0);
  });
});

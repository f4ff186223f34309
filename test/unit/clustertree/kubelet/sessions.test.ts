import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { Sessions } from '../../../../src/clustertree/kubelet/sessions.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { hostPod } from '../../../support/kubelet-rig.js';

const KEY = 'default/web';

describe('Sessions', () => {
  let clock: FakeClock;
  let sessions: Sessions;
  let pod: Pod | undefined;
  let connected: boolean;
  let changed: ((key: string, initial: boolean) => void) | undefined;
  let counted: number;
  let ended: string[];

  beforeEach(() => {
    clock = new FakeClock();
    pod = hostPod();
    connected = true;
    changed = undefined;
    counted = 0;
    ended = [];
    sessions = new Sessions({
      clock,
      hostPods: {
        get: () => pod,
        addListener: (_cluster, listener) => {
          // What is cached already is told at once, as the real ones do.
          listener(KEY, true);
          changed = listener;
          return () => (changed = undefined);
        },
      },
      isConnected: () => connected,
      observe: (_cluster, _kind, change) => (counted += change),
    });
  });

  afterEach(() => {
    sessions.close();
    expect(clock.pendingTimers).to.equal(0);
  });

  function open(name = 'a'): () => void {
    return sessions.open({ cluster: 'member1', pod: hostPod(), kind: 'exec' }, (reason) =>
      ended.push(`${name}: ${reason}`),
    );
  }

  it('are counted while they last', () => {
    const [first, second] = [open(), open()];
    expect([sessions.count, counted]).to.deep.equal([2, 2]);
    first();
    first();
    expect([sessions.count, counted]).to.deep.equal([1, 1]);
    second();
    expect([sessions.count, counted]).to.deep.equal([0, 0]);
  });

  it('look at pods only while there are any', () => {
    const done = open();
    expect(changed).not.to.be.undefined;
    done();
    expect(changed).to.be.undefined;
    open();
    expect(changed).not.to.be.undefined;
  });

  it('end a moment after their pod, so that its last words arrive', async () => {
    open('a');
    open('b');
    pod = undefined;
    changed?.(KEY, false);
    await clock.advance(2_999);
    expect(ended).to.deep.equal([]);
    await clock.advance(1);
    expect(ended).to.deep.equal(['a: the pod is gone', 'b: the pod is gone']);
  });

  it('end when their pod is another one', async () => {
    open();
    pod = hostPod({ uid: 'uid-2' });
    changed?.(KEY, false);
    await clock.advance(3_000);
    expect(ended).to.deep.equal(['a: the pod is gone']);
  });

  it('go on when their pod changes otherwise, or another pod goes', async () => {
    open();
    changed?.(KEY, false);
    changed?.('default/other', false);
    await clock.advance(60_000);
    expect(ended).to.deep.equal([]);
  });

  it('go on when a pod was missing for a moment only', async () => {
    open();
    pod = undefined;
    changed?.(KEY, false);
    pod = hostPod();
    await clock.advance(3_000);
    expect(ended).to.deep.equal([]);
  });

  it('end when the member is gone, and not when its connection is made anew', async () => {
    open();
    connected = false;
    sessions.clusterChanged('member1');
    connected = true;
    sessions.clusterChanged('member1');
    await clock.advance(5_000);
    expect(ended).to.deep.equal([]);
    connected = false;
    sessions.clusterChanged('other');
    sessions.clusterChanged('member1');
    await clock.advance(5_000);
    expect(ended).to.deep.equal(['a: the member is gone']);
  });

  it('end with the server, those too that come later', () => {
    open('a');
    sessions.close();
    sessions.close();
    open('b');
    expect(ended).to.deep.equal(['a: the server stops', 'b: the server stops']);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeObject, Pod } from '../../../../src/apis/core.js';
import { decideToken, type TokenAction, type TokenState } from '../../../../src/clustertree/identity/token-verdict.js';
import { OWNERSHIP, ownNamespace } from '../../../support/member-harness.js';

const RUNNING: Pod = { status: { phase: 'Running' } };
const ENDED: Pod = { status: { phase: 'Succeeded' } };
const FAILED: Pod = { status: { phase: 'Failed' } };
const GOING: Pod = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };
const SECRET: KubeObject = ownNamespace('s', { uid: 'secret-uid' });
const FOREIGN: KubeObject = { metadata: { name: 's', uid: 'foreign-uid' } };
const REMOVE: TokenAction = { kind: 'remove', uid: 'secret-uid' };

function decide(state: Partial<TokenState>): TokenAction {
  return decideToken({ ownership: OWNERSHIP, current: true, ...state });
}

describe('decideToken', () => {
  const table: [string, Partial<TokenState>, TokenAction][] = [
    ['waits while a side is unknown', { current: false, secret: SECRET }, { kind: 'wait' }],
    [
      'keeps the tokens of a running pod fresh',
      { hostPod: RUNNING, memberPod: RUNNING, secret: SECRET },
      { kind: 'issue' },
    ],
    ['keeps those of a pod that is yet to be made', { hostPod: {}, secret: SECRET }, { kind: 'issue' }],
    ['makes none because a host pod merely exists', { hostPod: {} }, { kind: 'nothing' }],
    ['brings back those of a running pod', { hostPod: RUNNING, memberPod: RUNNING }, { kind: 'issue' }],
    ['makes none for a pod that has ended', { hostPod: RUNNING, memberPod: ENDED }, { kind: 'nothing' }],
    ['removes those of a pod that has ended there', { hostPod: RUNNING, memberPod: ENDED, secret: SECRET }, REMOVE],
    ['removes those of a pod that has failed', { hostPod: FAILED, secret: SECRET }, REMOVE],
    ['removes those of a deleted pod once its copy is gone', { hostPod: GOING, secret: SECRET }, REMOVE],
    ['keeps them while the copy runs on', { hostPod: GOING, memberPod: RUNNING, secret: SECRET }, { kind: 'issue' }],
    [
      'keeps them while the copy of a failed pod runs on',
      { hostPod: FAILED, memberPod: RUNNING, secret: SECRET },
      { kind: 'issue' },
    ],
    ['asks the host about a pod that it does not know', { secret: SECRET }, { kind: 'confirm-unused' }],
    ['removes those of a pod that is gone', { secret: SECRET, unusedLive: true }, REMOVE],
    ['leaves what is foreign', { secret: FOREIGN, unusedLive: true }, { kind: 'nothing' }],
    [
      'leaves what is going already',
      { secret: ownNamespace('s', { deletionTimestamp: '2026-01-01T00:00:00Z' }), unusedLive: true },
      { kind: 'nothing' },
    ],
    ['has nothing to do where nothing is', {}, { kind: 'nothing' }],
  ];
  for (const [title, state, action] of table) {
    it(title, () => expect(decide(state)).to.deep.equal(action));
  }

  it('never removes the tokens of a pod that may run', () => {
    const pod = fc.constantFrom(undefined, {}, RUNNING, ENDED, FAILED, GOING);
    const state = fc.record({
      current: fc.boolean(),
      hostPod: pod,
      memberPod: pod,
      secret: fc.constantFrom(undefined, SECRET, FOREIGN),
      unusedLive: fc.boolean(),
    });
    fc.assert(
      fc.property(state, (some) => {
        if (decide(some).kind !== 'remove') return;
        expect(some.current && some.secret === SECRET).to.be.true;
        const runs =
          some.hostPod !== undefined && some.memberPod !== undefined && ![ENDED, FAILED].includes(some.memberPod);
        expect(runs).to.be.false;
        if (some.hostPod === undefined) expect(some.unusedLive).to.be.true;
      }),
    );
  });
});

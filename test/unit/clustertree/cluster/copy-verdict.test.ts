import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeObject } from '../../../../src/apis/core.js';
import { decideCopy, type CopyAction, type CopyState } from '../../../../src/clustertree/cluster/copy-verdict.js';
import { OWNERSHIP, ownNamespace } from '../../../support/member-harness.js';

const HOST: KubeObject = { metadata: { namespace: 'shop', name: 'c', uid: 'host-uid' } };
const COPY: KubeObject = ownNamespace('c', { uid: 'copy-uid' });
const FOREIGN: KubeObject = { metadata: { name: 'c', uid: 'foreign-uid' } };

function decide(state: Partial<CopyState> = {}): CopyAction {
  return decideCopy({
    ...{ ownership: OWNERSHIP, hostCurrent: true, memberCurrent: true },
    ...{ host: HOST, copy: COPY, isUsed: true, isWanted: true },
    ...state,
  });
}

describe('decideCopy', () => {
  const table: [string, Partial<CopyState>, CopyAction][] = [
    ['waits for the host', { hostCurrent: false }, { kind: 'wait' }],
    ['waits for the member', { memberCurrent: false }, { kind: 'wait' }],
    ['keeps a copy in step', {}, { kind: 'sync' }],
    ['keeps a copy in step for a pod that is about to be made', { isWanted: false }, { kind: 'sync' }],
    ['brings back what a running pod uses', { copy: undefined }, { kind: 'sync' }],
    ['makes nothing because a host pod merely exists', { copy: undefined, isWanted: false }, { kind: 'nothing' }],
    ['makes nothing of what the host has not', { copy: undefined, host: undefined }, { kind: 'nothing' }],
    ['makes nothing that nobody uses', { copy: undefined, isUsed: false, isWanted: false }, { kind: 'nothing' }],
    ['leaves what is foreign', { copy: FOREIGN, isUsed: false }, { kind: 'nothing' }],
    [
      'leaves what is going already',
      { copy: ownNamespace('c', { deletionTimestamp: '2026-01-01T00:00:00Z' }), isUsed: false },
      { kind: 'nothing' },
    ],
    ['asks the host whether an object is gone', { host: undefined }, { kind: 'confirm-host' }],
    ['removes the copy of one that is', { host: undefined, hostLive: true }, { kind: 'remove', uid: 'copy-uid' }],
    ['asks the host whether nobody uses it', { isUsed: false, isWanted: false }, { kind: 'confirm-unused' }],
    [
      'removes what nobody uses',
      { isUsed: false, isWanted: false, unusedLive: true },
      { kind: 'remove', uid: 'copy-uid' },
    ],
    ['keeps what somebody has begun to use meanwhile', { unusedLive: true }, { kind: 'sync' }],
  ];
  for (const [title, state, action] of table) {
    it(title, () => expect(decide(state)).to.deep.equal(action));
  }

  it('removes nothing on the word of a cache, nothing foreign, and nothing while a side is unknown', () => {
    const state = fc.record({
      hostCurrent: fc.boolean(),
      memberCurrent: fc.boolean(),
      host: fc.constantFrom(undefined, HOST),
      copy: fc.constantFrom(undefined, COPY, FOREIGN),
      isUsed: fc.boolean(),
      isWanted: fc.boolean(),
      hostLive: fc.boolean(),
      unusedLive: fc.boolean(),
    });
    fc.assert(
      fc.property(state, (some) => {
        const action = decide(some);
        if (action.kind !== 'remove') return;
        expect(some.hostCurrent && some.memberCurrent).to.be.true;
        expect(action.uid).to.equal('copy-uid');
        expect((!some.isUsed && some.unusedLive) || (some.host === undefined && some.hostLive)).to.be.true;
      }),
    );
  });
});

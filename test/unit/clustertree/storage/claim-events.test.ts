import { expect } from 'chai';
import type { Claim, Event, Pod } from '../../../../src/apis/core.js';
import { ClaimEvents } from '../../../../src/clustertree/storage/claim-events.js';
import { IndexedStore } from '../../../../src/kube/store.js';
import type { EventSink } from '../../../../src/runtime/event-sink.js';
import { boundClaim, COPY_UID, DATA, memberClaim } from '../../../support/storage-objects.js';

const pod = (name: string, phase?: string): Pod => ({ metadata: { namespace: 'shop', name }, status: { phase } });

describe('ClaimEvents', () => {
  let memberClaims: IndexedStore<Claim>;
  let hostClaims: IndexedStore<Claim>;
  let heard: string[];
  let events: ClaimEvents;

  beforeEach(() => {
    memberClaims = new IndexedStore<Claim>();
    hostClaims = new IndexedStore<Claim>();
    heard = [];
    const sink = <T extends Claim | Pod>(): EventSink<T> => ({
      warn: ({ metadata }, reason, message) => void heard.push(`${metadata?.name ?? ''} ${reason}: ${message}`),
    });
    events = new ClaimEvents({
      ...{ clusterName: 'member1', memberClaims, hostClaims, claimSink: sink<Claim>(), podSink: sink<Pod>() },
      podsOf: () => [pod('web', 'Pending'), pod('new'), pod('old', 'Running')],
    });
    memberClaims.set('shop/data', memberClaim());
    hostClaims.set('shop/data', boundClaim());
  });

  function offer(more: Partial<Event> = {}): void {
    const involvedObject = { ...DATA, uid: COPY_UID };
    events.offer({
      metadata: {},
      involvedObject,
      type: 'Warning',
      reason: 'ProvisioningFailed',
      message: 'full',
      ...more,
    });
  }

  it('shows a warning on the claim and on the pods that wait for it', () => {
    offer();
    expect(heard).to.deep.equal([
      'data ProvisioningFailed: In member cluster member1: full',
      'web ProvisioningFailed: Claim data: In member cluster member1: full',
      'new ProvisioningFailed: Claim data: In member cluster member1: full',
    ]);
  });

  it('passes over what is no warning', () => {
    offer({ type: 'Normal' });
    expect(heard).to.deep.equal([]);
  });

  it('passes over what is about the claim of somebody else, or an earlier one', () => {
    offer({ involvedObject: { ...DATA, uid: 'another' } });
    offer({ involvedObject: { namespace: 'shop', name: 'other', uid: 'x' } });
    hostClaims.set('shop/data', boundClaim({ metadata: { uid: 'later' } }));
    offer();
    hostClaims.delete('shop/data');
    offer();
    expect(heard).to.deep.equal([]);
  });
});

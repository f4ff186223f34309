import { expect } from 'chai';
import type { Claim, Pod } from '../../../../src/apis/core.js';
import type { UnmetNeed } from '../../../../src/clustertree/cluster/pod-needs.js';
import { podReferences } from '../../../../src/clustertree/cluster/pod-references.js';
import { ClaimNeeds } from '../../../../src/clustertree/storage/claim-needs.js';
import type { ClaimOutcome } from '../../../../src/clustertree/storage/claim-reconciler.js';
import { IndexedStore } from '../../../../src/kube/store.js';
import { boundClaim } from '../../../support/storage-objects.js';

const POD: Pod = {
  metadata: { namespace: 'shop', name: 'web', uid: 'pod-uid' },
  spec: {
    containers: [],
    volumes: [
      { name: 'disk', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: {} } } },
    ],
  },
};
const owner = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'pod-uid', controller: true };
const scratch = (more: NonNullable<Claim['metadata']> = {}): Claim =>
  boundClaim({ metadata: { name: 'web-scratch', uid: 'scratch-uid', ownerReferences: [owner], ...more } });

describe('ClaimNeeds', () => {
  let hostClaims: IndexedStore<Claim>;
  let outcomes: Map<string, ClaimOutcome>;
  let asked: string[];
  let needs: ClaimNeeds;
  const signal = new AbortController().signal;

  beforeEach(() => {
    hostClaims = new IndexedStore<Claim>();
    outcomes = new Map();
    asked = [];
    const ensure = (key: string): Promise<ClaimOutcome> => {
      asked.push(key);
      return Promise.resolve(outcomes.get(key) ?? { kind: 'ready' });
    };
    needs = new ClaimNeeds({ hostClaims, claims: { ensure } });
    hostClaims.set('shop/data', boundClaim());
    hostClaims.set('shop/web-scratch', scratch());
  });

  function ensure(pod = POD): Promise<readonly UnmetNeed[]> {
    return needs.ensure(pod, { namespace: 'shop', ...podReferences(pod) }, signal);
  }

  it('has each claim of the pod made, those of ephemeral volumes too', async () => {
    expect(await ensure()).to.deep.equal([]);
    expect(asked).to.deep.equal(['shop/data', 'shop/web-scratch']);
  });

  it('asks for nothing for a pod without claims', async () => {
    expect(await ensure({ ...POD, spec: { containers: [] } })).to.deep.equal([]);
    expect(asked).to.deep.equal([]);
  });

  it('says as a kubelet that a claim does not exist, or goes', async () => {
    hostClaims.delete('shop/data');
    hostClaims.set('shop/web-scratch', scratch({ deletionTimestamp: '2026-01-01T00:00:00Z' }));
    expect(await ensure()).to.deep.equal([
      {
        reason: 'FailedMount',
        message: 'MountVolume.SetUp failed for volume "disk" : persistentvolumeclaim "data" not found',
      },
      {
        reason: 'FailedMount',
        message: 'MountVolume.SetUp failed for volume "scratch" : persistentvolumeclaim "web-scratch" is being deleted',
      },
    ]);
  });

  it("does not take somebody else's claim for that of an ephemeral volume", async () => {
    hostClaims.set('shop/web-scratch', scratch({ ownerReferences: [{ ...owner, uid: 'another' }] }));
    const [unmet] = await ensure();
    expect(unmet?.message).to.include('was not created for pod "shop/web"');
    expect(asked).to.deep.equal(['shop/data']);
  });

  it('says what is in the way, with the reason of the Event', async () => {
    outcomes.set('shop/data', { kind: 'unmet', reason: 'VolumeInUse', message: 'in use' });
    outcomes.set('shop/web-scratch', { kind: 'unmet', reason: 'FailedMount', message: 'not bound' });
    expect(await ensure()).to.deep.equal([
      { reason: 'VolumeInUse', message: 'in use' },
      { reason: 'FailedMount', message: 'MountVolume.SetUp failed for volume "scratch" : not bound' },
    ]);
  });

  it('tells of pods that wait when their claim changes, once', async () => {
    const met: string[] = [];
    const stop = needs.onMet((pod) => met.push(pod));
    needs.changed('shop/data');
    outcomes.set('shop/data', { kind: 'unmet', reason: 'FailedMount', message: 'not bound' });
    await ensure();
    needs.changed('shop/other');
    needs.changed('shop/data');
    needs.changed('shop/data');
    expect(met).to.deep.equal(['shop/web']);
    await ensure();
    stop();
    needs.changed('shop/data');
    expect(met).to.deep.equal(['shop/web']);
  });
});

import { expect } from 'chai';
import { withHeartbeats } from '../../../../src/kosmosctl/adopt/heartbeats.js';
import type { ClusterSession } from '../../../../src/kosmosctl/session.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { leases } from '../../../../src/kube/resource.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';

const LEASE = { namespace: 'kube-node-lease', name: 'kosmos-member1' };

describe('withHeartbeats', () => {
  let client: FakeKubeClient;
  let clock: FakeClock;
  let host: ClusterSession;

  beforeEach(() => {
    clock = new FakeClock();
    client = new FakeKubeClient({ clock });
    client.seed(leases, { metadata: LEASE, spec: { holderIdentity: 'kosmos-member1', renewTime: 'long ago' } });
    host = { client } as unknown as ClusterSession;
  });

  const renewals = (): number => client.callsOf({ verb: 'patch', type: leases }).length;

  it('renews leases for as long as the action lasts', async () => {
    const result = await withHeartbeats(host, [LEASE.name], clock, async () => {
      await clock.advance(25_000);
      return renewals();
    });
    expect(result).to.equal(3);
    const { spec } = client.peek(leases, LEASE)!;
    expect(spec?.renewTime).to.match(/^\d{4}-.*000Z$/);
    expect(spec?.holderIdentity).to.equal('kosmos-member1');
    await clock.advance(60_000);
    expect(renewals()).to.equal(3);
  });

  it('makes no lease where there is none', async () => {
    await withHeartbeats(host, ['kosmos-other'], clock, () => clock.advance(1_000));
    expect(client.peekAll(leases)).to.have.length(1);
  });

  it('lets the action come to its end before it says that nodes could not be kept alive', async () => {
    const error = new ApiError({ code: 403, reason: 'Forbidden', message: 'leases are forbidden' });
    client.fail({ verb: 'patch', error });
    let done = false;
    const failure: unknown = await withHeartbeats(host, [LEASE.name], clock, async () => {
      await clock.advance(1_000);
      done = true;
    }).catch((reason: unknown) => reason);
    expect([failure, done]).to.deep.equal([error, true]);
  });

  it('passes on how the action failed', async () => {
    const failure: unknown = await withHeartbeats(host, [LEASE.name], clock, () =>
      Promise.reject(new Error('no rights')),
    ).catch((reason: unknown) => reason);
    expect(failure).to.be.an('error').with.property('message', 'no rights');
  });
});

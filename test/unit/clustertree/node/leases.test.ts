import { expect } from 'chai';
import type { Node } from '../../../../src/apis/core.js';
import { LeaseRenewals } from '../../../../src/clustertree/node/lease-renewals.js';
import { NodeLeases } from '../../../../src/clustertree/node/leases.js';
import { leases } from '../../../../src/kube/resource.js';
import { apiError, MemberHarness, virtualNode } from '../../../support/member-harness.js';

const REF = { namespace: 'kube-node-lease', name: 'kosmos-east' };
const NODE: Node = { metadata: { ...virtualNode('kosmos-east', 'east').metadata, uid: 'node-uid' } };

describe('NodeLeases', () => {
  let harness: MemberHarness;
  let nodeLeases: NodeLeases;

  beforeEach(() => {
    harness = new MemberHarness();
    nodeLeases = new NodeLeases(harness.host, harness.clock);
  });

  afterEach(() => harness.end());

  it('makes the lease of a new node, owned by the node', async () => {
    await nodeLeases.renew(NODE, harness.signal);
    const lease = harness.host.peek(leases, REF);
    expect(lease?.spec).to.deep.equal({
      holderIdentity: 'kosmos-east',
      leaseDurationSeconds: 40,
      renewTime: '2026-01-01T00:00:00.000000Z',
    });
    expect(lease?.metadata?.ownerReferences).to.deep.equal([
      { apiVersion: 'v1', kind: 'Node', name: 'kosmos-east', uid: 'node-uid' },
    ]);
  });

  it('renews it with one call', async () => {
    await nodeLeases.renew(NODE, harness.signal);
    harness.host.calls.length = 0;
    await harness.clock.advance(10_000);
    await nodeLeases.renew(NODE, harness.signal);
    expect(harness.host.peek(leases, REF)?.spec?.renewTime).to.equal('2026-01-01T00:00:10.000000Z');
    expect(harness.host.calls).to.have.length(1);
  });

  it('is content when another made it a moment before', async () => {
    harness.host.fail({ verb: 'create', error: apiError(409, 'AlreadyExists') });
    await nodeLeases.renew(NODE, harness.signal);
    expect(harness.host.callsOf({ verb: 'create' })).to.have.length(1);
  });

  for (const verb of ['patch', 'create'] as const) {
    it(`passes on that a ${verb} is refused`, async () => {
      harness.host.fail({ verb, error: apiError(403, 'Forbidden') });
      expect(await nodeLeases.renew(NODE, harness.signal).catch((error: unknown) => error)).to.have.property(
        'statusCode',
        403,
      );
    });
  }
});

describe('LeaseRenewals', () => {
  let harness: MemberHarness;
  let renewals: LeaseRenewals;
  let release: () => void;

  beforeEach(() => {
    harness = new MemberHarness();
    renewals = new LeaseRenewals({
      leases: new NodeLeases(harness.host, harness.clock),
      isReachable: () => harness.probe.reachable,
      logger: harness.logger,
    });
    release = () => undefined;
  });

  afterEach(() => harness.end());

  function hold(): void {
    const held = new Promise<void>((resolve) => (release = resolve));
    harness.host.intercept = () => held;
  }

  function add(name: string): void {
    renewals.add({ metadata: { name, uid: name } }, harness.signal);
  }

  function patched(): string[] {
    return harness.host.callsOf({ verb: 'patch' }).map(({ ref }) => ref.name);
  }

  it('renews in the background', async () => {
    add('a');
    await harness.settle();
    expect(harness.host.peek(leases, { ...REF, name: 'a' })).to.not.be.undefined;
  });

  it('renews no node twice at a time, however often it is asked', async () => {
    hold();
    for (let i = 0; i < 5; i += 1) add('a');
    add('b');
    await harness.settle();
    expect(patched()).to.deep.equal(['a', 'b']);
    release();
    await harness.settle();
    add('a');
    await harness.settle();
    expect(patched()).to.deep.equal(['a', 'b', 'a']);
  });

  it('does no more than sixteen at the same time', async () => {
    hold();
    for (let i = 0; i < 20; i += 1) add(`n${i}`);
    await harness.settle();
    expect(patched()).to.have.length(16);
    release();
    await renewals.stop();
  });

  it('renews none that had to wait until the member was lost', async () => {
    hold();
    for (let i = 0; i < 17; i += 1) add(`n${i}`);
    await harness.settle();
    harness.probe.found(false);
    release();
    await harness.settle();
    expect(patched()).to.not.include('n16');
  });

  it('tells of a failure, and tries the next time', async () => {
    harness.host.fail({ verb: 'patch', error: apiError(500, 'InternalError') });
    add('a');
    await harness.settle();
    expect(harness.logs).to.deep.equal([
      { level: 'warn', message: 'lease could not be renewed', fields: { node: 'a', error: 'InternalError' } },
    ]);
    add('a');
    await harness.settle();
    expect(harness.host.peek(leases, { ...REF, name: 'a' })).to.not.be.undefined;
  });

  it('drops what waits when it is stopped, and ends without a word', async () => {
    hold();
    for (let i = 0; i < 20; i += 1) add(`n${i}`);
    await harness.settle();
    harness.stop.abort(new Error('no longer leading'));
    const stopped = renewals.stop();
    release();
    await stopped;
    expect([patched().length, harness.logs]).to.deep.equal([16, []]);
  });
});

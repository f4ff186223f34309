import { expect } from 'chai';
import { mark } from '../../../../src/kosmosctl/adopt/mark.js';
import type { Change, Finding } from '../../../../src/kosmosctl/adopt/judgement.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { pods } from '../../../../src/kube/resource.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';

const AT = { namespace: 'shop', name: 'web-0' };

describe('mark', () => {
  let host: FakeKubeClient;
  let member: FakeKubeClient;
  const { signal } = new AbortController();

  beforeEach(() => {
    host = new FakeKubeClient();
    member = new FakeKubeClient();
    for (const client of [host, member]) client.seed(pods, { metadata: { ...AT, uid: 'uid' } });
  });

  const change = (where: Change['where'], label: string, uid = 'uid'): Change => ({
    ...{ where, type: pods, ref: AT, how: where === 'member' ? 'apply' : 'merge' },
    body: { metadata: { ...AT, uid, labels: { [label]: 'yes' } } },
  });
  const finding = (...changes: Change[]): Finding => ({
    ...{ cluster: 'member1', kind: 'Pod', name: 'shop/web-0' },
    judgement: { kind: 'adopt', changes },
  });
  const run = (...findings: Finding[]): Promise<readonly Finding[]> =>
    mark({ host, member }, findings, (detail) => reports.push(detail), signal);
  let reports: string[];
  beforeEach(() => (reports = []));

  it('makes the changes of an object one after the other, those of copies in the name of the manager', async () => {
    const order: string[] = [];
    host.intercept = () => void order.push('host');
    member.intercept = () => void order.push('member');
    expect(await run(finding(change('host', 'a'), change('member', 'b')))).to.deep.equal([]);
    expect(order).to.deep.equal(['host', 'member']);
    expect(host.peek(pods, AT)?.metadata?.labels).to.deep.equal({ a: 'yes' });
    expect(member.peek(pods, AT)?.metadata?.labels).to.deep.equal({ b: 'yes' });
    expect(host.calls[0]?.options).to.deep.include({ type: 'merge', fieldManager: 'kosmosctl' });
    expect(member.calls[0]?.options).to.deep.include({ type: 'apply', fieldManager: 'kosmos-manager', force: true });
  });

  for (const code of [404, 409]) {
    it(`goes on past an object that has changed (${code}), without its later changes`, async () => {
      const reason = code === 404 ? 'NotFound' : 'Conflict';
      host.fail({ verb: 'patch', error: new ApiError({ code, reason, message: 'no' }) });
      const changed = finding(change('host', 'a'), change('member', 'b'));
      expect(await run(changed, finding(change('member', 'c')))).to.deep.equal([changed]);
      expect(member.peek(pods, AT)?.metadata?.labels).to.deep.equal({ c: 'yes' });
    });
  }

  it('tells an object that was replaced from one that may not have that', async () => {
    expect(await run(finding(change('host', 'a', 'uid-of-before')))).to.have.length(1);
    const refusal = new ApiError({ code: 422, reason: 'Invalid', message: 'label is too long' });
    host.fail({ verb: 'patch', error: refusal });
    const failure: unknown = await run(finding(change('host', 'a'))).catch((error: unknown) => error);
    expect(failure).to.equal(refusal);
  });

  it('tells how far it is, now and then', async () => {
    await run(...Array.from({ length: 250 }, () => finding(change('host', 'a'))));
    expect(reports).to.deep.equal(['100 of 250', '200 of 250']);
  });

  it('touches nothing that is not to be adopted', async () => {
    await run({ cluster: 'member1', kind: 'Pod', name: 'x', judgement: { kind: 'stays', why: 'it is not ours' } });
    expect([...host.calls, ...member.calls]).to.deep.equal([]);
  });

  it('stops when it is interrupted', async () => {
    const stopped = AbortSignal.abort(new Error('interrupted'));
    const failure: unknown = await mark(
      { host, member },
      [finding(change('host', 'a'))],
      () => undefined,
      stopped,
    ).catch((error: unknown) => error);
    expect(failure).to.be.an('error').with.property('message', 'interrupted');
    expect(host.calls).to.deep.equal([]);
  });
});

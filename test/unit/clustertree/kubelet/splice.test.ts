import { expect } from 'chai';
import { duplexPair, type Duplex } from 'node:stream';
import { splice, type SpliceTotals } from '../../../../src/clustertree/kubelet/splice.js';
import { FakeClock, settle } from '../../../support/fake-clock.js';
import { waitFor } from '../../../support/wait-for.js';

describe('splice', () => {
  let clock: FakeClock;
  let client: Duplex;
  let member: Duplex;
  let ours: { readonly client: Duplex; readonly member: Duplex };
  let totals: SpliceTotals | undefined;

  beforeEach(() => {
    clock = new FakeClock();
    const [clientSide, clientEnd] = duplexPair();
    const [memberSide, memberEnd] = duplexPair();
    client = clientEnd;
    member = memberEnd;
    ours = { client: clientSide, member: memberSide };
    totals = undefined;
    void splice(clientSide, memberSide, clock).then((result) => (totals = result));
  });

  it('lets the other side finish what it has to say', async () => {
    const heard: string[] = [];
    client.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    member.resume().on('end', () => member.end('last words'));
    client.end('done');
    await waitFor('the end', () => totals !== undefined);
    expect(heard.join('')).to.equal('last words');
    expect(clock.pendingTimers).to.equal(0);
  });

  it('cuts a side that says nothing after the other one has ended', async () => {
    client.resume();
    member.resume();
    client.end();
    await settle();
    expect(totals).to.be.undefined;
    await clock.advance(10_000);
    await waitFor('the end', () => totals !== undefined);
    expect([ours.client.destroyed, ours.member.destroyed]).to.deep.equal([true, true]);
  });

  for (const side of ['client', 'member'] as const) {
    it(`cuts the other side when the ${side} breaks`, async () => {
      ours[side].destroy(new Error('reset'));
      await waitFor('the end', () => totals !== undefined);
      expect([ours.client.destroyed, ours.member.destroyed]).to.deep.equal([true, true]);
      expect(clock.pendingTimers).to.equal(0);
    });
  }

  it('holds the faster side back', async () => {
    client.pause();
    const chunk = Buffer.alloc(64 * 1024);
    let written = 0;
    while (written < 1_000 && member.write(chunk)) {
      written += 1;
      await settle();
    }
    expect(written).to.be.lessThan(1_000);
    client.resume();
    await waitFor('room again', () => !member.writableNeedDrain);
    ours.client.destroy();
    await waitFor('the end', () => totals !== undefined);
  });

  it('cuts the other side when one was closed before', async () => {
    const [gone] = duplexPair();
    gone.destroy();
    const [other] = duplexPair();
    void splice(gone, other, clock);
    await waitFor('the end', () => other.destroyed);
    ours.client.destroy();
    await waitFor('the end', () => totals !== undefined);
    await clock.advance(10_000);
  });
});

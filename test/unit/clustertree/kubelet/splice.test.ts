import { expect } from 'chai';
import { Duplex, duplexPair } from 'node:stream';
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

  /** A client whose connection takes its time for each chunk, as TLS does. */
  function slowClient(highWaterMark: number): { readonly stream: Duplex; readonly heard: () => string } {
    const heard: string[] = [];
    const stream = new Duplex({
      highWaterMark,
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        setTimeout(() => {
          // What was cut has not been sent.
          if (!stream.destroyed) heard.push(chunk.toString());
          done();
        }, 2);
      },
    });
    return { stream, heard: () => heard.join('') };
  }

  for (const [what, highWaterMark] of [
    ['is on its way', 1 << 20],
    ['waits for a slow client', 8],
  ] as const) {
    it(`delivers what ${what} when the member resets the connection behind its last word`, async () => {
      const slow = slowClient(highWaterMark);
      const [side, end] = duplexPair();
      let ended = false;
      void splice(slow.stream, side, clock).then(() => (ended = true));
      const words = ['output ', 'of a ', 'command, ', 'and ', 'its status'];
      for (const word of words) end.write(word);
      await settle();
      side.destroy(new Error('reset'));
      await waitFor('the end', () => ended);
      expect(slow.heard()).to.equal(words.join(''));
      expect(slow.stream.destroyed).to.equal(true);
      ours.client.destroy();
      await waitFor('the end', () => totals !== undefined);
    });
  }

  it('cuts a client that takes nothing any more when the member breaks', async () => {
    const stuck = new Duplex({ read: () => undefined, write: () => undefined });
    const [side, end] = duplexPair();
    let ended = false;
    void splice(stuck, side, clock).then(() => (ended = true));
    end.write('output');
    await settle();
    side.destroy(new Error('reset'));
    await settle();
    expect(ended).to.equal(false);
    await clock.advance(10_000);
    await waitFor('the end', () => ended);
    ours.client.destroy();
    await waitFor('the end', () => totals !== undefined);
  });

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

import { expect } from 'chai';
import { renderPacketPicture } from '../../../hack/generate/packet-picture.js';

describe('renderPacketPicture', () => {
  const svg = renderPacketPicture('# A & B\n\nwire: IP a > b | *TCP\n-- next\nend: *TCP\n');

  it('draws a box for each header, and those that are carried in another colour', () => {
    const fills = [...svg.matchAll(/<rect x="\d+".* fill="(#\w+)"/g)].map(([, fill]) => fill);
    expect(fills).to.have.lengthOf(3);
    expect(fills[0]).not.to.equal(fills[1]);
    expect(fills[1]).to.equal(fills[2]);
  });

  it('puts boxes of one packet side by side', () => {
    const [first, second] = [...svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="(\d+)"/g)].map(([, ...n]) =>
      n.map(Number),
    );
    expect(second![0]).to.equal(first![0]! + first![2]!);
    expect(second![1]).to.equal(first![1]);
  });

  it('shows texts as they are', () => {
    for (const text of ['A &amp; B', 'IP a &gt; b', '↓ next', '>wire<', '>end<']) expect(svg).to.contain(text);
    expect(svg).not.to.contain('*TCP');
  });

  it('is large enough', () => {
    const wide = renderPacketPicture(`x: ${'y'.repeat(500)}`);
    expect(Number(/width="(\d+)"/.exec(wide)?.[1])).to.be.greaterThan(500 * 7);
  });

  it('refuses a line that it does not know', () => {
    expect(() => renderPacketPicture('nothing')).to.throw('no packet, note or title: nothing');
  });
});

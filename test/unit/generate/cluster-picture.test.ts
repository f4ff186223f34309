import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { renderClusterPicture } from '../../../hack/generate/cluster-picture.js';

const TEXT = `# A & B
cluster host: the <host>
  API server
  *ours
cluster one: member one
  pods
cluster two: member two
  pods
  *ours

host > one: down
host = two: both
one = two: across
`;

type Rect = Readonly<Record<'x' | 'y' | 'width' | 'height', number>>;

/** Boxes of clusters, in their order. */
function frames(svg: string): readonly Rect[] {
  const found = svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)" rx="6"/g);
  return [...found].map(([, ...numbers]) => {
    const [x = 0, y = 0, width = 0, height = 0] = numbers.map(Number);
    return { x, y, width, height };
  });
}

describe('renderClusterPicture', () => {
  const svg = renderClusterPicture(TEXT);
  const [host, one, two] = frames(svg) as [Rect, Rect, Rect];

  it('puts the first cluster above all others, and as wide as they are together', () => {
    expect(host.y + host.height).to.be.lessThan(one.y);
    expect([one.y, one.x]).to.deep.equal([two.y, host.x]);
    expect(one.x + one.width).to.be.lessThan(two.x);
    expect(two.x + two.width).to.equal(host.x + host.width);
  });

  it('shows what is in them, ours in another colour', () => {
    const fills = [...svg.matchAll(/height="18" fill="(#\w+)"/g)].map(([, fill]) => fill);
    expect(fills).to.have.lengthOf(5);
    expect([fills[0], fills[2], fills[3]]).to.deep.equal([fills[0], fills[0], fills[0]]);
    expect(fills[1]).to.equal(fills[4]).and.not.to.equal(fills[0]);
    for (const text of ['A &amp; B', 'the &lt;host&gt;', '>API server<', '>ours<']) expect(svg).to.contain(text);
    expect(svg).not.to.contain('*ours');
  });

  it('draws links between them: arrows, and dashed lines', () => {
    const lines = [...svg.matchAll(/<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"[^>]*>/g)];
    expect(lines).to.have.lengthOf(3);
    const [down, both, across] = lines.map(([text, ...ends]) => ({ text, ends: ends.map(Number) }));
    expect(down?.ends.slice(1)).to.deep.equal([host.y + host.height, down?.ends[0], one.y]);
    expect(down?.text).to.contain('marker-end').and.not.contain('dash');
    expect(both?.text).to.contain('dash').and.not.contain('marker-end');
    expect([across?.ends[0], across?.ends[2]]).to.deep.equal([one.x + one.width, two.x]);
    for (const label of ['>down<', '>both<', '>across<']) expect(svg).to.contain(label);
  });

  it('is large enough for all of it, also for a long title', () => {
    const size = (picture: string): readonly number[] =>
      (/width="(\d+)" height="(\d+)" viewBox/.exec(picture) ?? []).slice(1).map(Number);
    expect(size(svg)[0]).to.be.greaterThan(two.x + two.width);
    expect(size(svg)[1]).to.be.greaterThan(two.y + two.height);
    const long = renderClusterPicture(`# ${'t'.repeat(300)}\n${TEXT}`.replace('# A & B\n', ''));
    expect(size(long)[0]).to.be.greaterThan(300 * 7);
  });

  it('refuses what it does not know', () => {
    expect(() => renderClusterPicture('cluster a: b\nnothing')).to.throw('no cluster, part, link or title: nothing');
    expect(() => renderClusterPicture('cluster a: b\na > c: d')).to.throw('there is no cluster c');
    expect(() => renderClusterPicture('# title')).to.throw('there is no cluster');
    expect(() => renderClusterPicture('  part of nothing')).to.throw('no cluster, part');
  });

  it('shows in the README what runs where, and cuts no label off', () => {
    const picture = readFileSync('docs/pictures/architecture.svg', 'utf8');
    const [, width] = /width="(\d+)"/.exec(picture) ?? [];
    for (const [, x, anchor, text = ''] of picture.matchAll(/<text x="([\d.]+)" [^>]*anchor="(\w+)">([^<]+)</g)) {
      const length = text.length * 7;
      const start = Number(x) - (anchor === 'end' ? length : anchor === 'middle' ? length / 2 : 0);
      expect([start >= 0, start + length <= Number(width)], text).to.deep.equal([true, true]);
    }
    for (const word of ['kosmos-manager', 'kosmos-agent', 'virtual node', 'tunnels']) expect(picture).to.contain(word);
    expect(readFileSync('README.md', 'utf8')).to.contain('](docs/pictures/architecture.svg)');
  });
});

import { expect } from 'chai';
import { parseTop } from '../../support/top.js';

describe('parseTop', () => {
  it('reads nodes, with their shares', () => {
    expect(parseTop('kosmos-member1   153m   7%    1204Mi   5%    \n')).to.deep.equal([
      { name: 'kosmos-member1', millicores: 153, mebibytes: 1_204 },
    ]);
  });

  it('reads pods, with and without their containers', () => {
    expect(parseTop('web-1   101m   0Mi    \n')).to.deep.equal([{ name: 'web-1', millicores: 101, mebibytes: 0 }]);
    expect(parseTop('web-1   main   101m   3Mi\n')).to.deep.equal([{ name: 'web-1', millicores: 101, mebibytes: 3 }]);
  });

  it('leaves out lines without figures', () => {
    expect(parseTop('member1-node1   <unknown>   <unknown>   <unknown>   <unknown>\n\n')).to.deep.equal([]);
  });
});

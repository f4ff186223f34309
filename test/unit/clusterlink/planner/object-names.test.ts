import { expect } from 'chai';
import { distinctNodeObjectName, nodeObjectName } from '../../../../src/clusterlink/planner/object-names.js';

describe('nodeObjectName', () => {
  it('is that of Kosmos', () => expect(nodeObjectName('east', 'n1')).to.equal('east-n1'));

  it('can be that of another node, which the distinct name is not', () => {
    expect(nodeObjectName('a', 'b-c')).to.equal(nodeObjectName('a-b', 'c'));
    expect(distinctNodeObjectName('a', 'b-c')).to.match(/^a-b-c-[0-9a-f]{8}$/);
    expect(distinctNodeObjectName('a', 'b-c')).not.to.equal(distinctNodeObjectName('a-b', 'c'));
  });

  it('is short enough for an object, and then still tells nodes apart', () => {
    const name = nodeObjectName('c'.repeat(56), `${'n'.repeat(240)}.1`);
    expect(name).to.have.lengthOf(253);
    expect(name).not.to.equal(nodeObjectName('c'.repeat(56), `${'n'.repeat(240)}.2`));
  });
});

import { expect } from 'chai';
import { NamespacePolicy } from '../../../../src/clustertree/pod/namespace-policy.js';
import { EVERYTHING } from '../../../../src/lib/label-selector.js';

describe('NamespacePolicy', () => {
  const shop = { metadata: { name: 'shop', labels: { team: 'a' } } };

  it('allows every namespace that is not reserved', () => {
    expect(new NamespacePolicy(['kube-system'], EVERYTHING).allows(shop, 'shop')).to.be.true;
  });

  it('never allows a reserved one', () => {
    expect(new NamespacePolicy(['shop'], EVERYTHING).allows(shop, 'shop')).to.be.false;
  });

  it('allows only those that the selector matches', () => {
    const allows = (team: string): boolean => {
      return new NamespacePolicy([], { matchLabels: { team } }).allows(shop, 'shop');
    };
    expect([allows('a'), allows('b')]).to.deep.equal([true, false]);
  });

  it('takes a namespace without labels as it is', () => {
    const exists = { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] };
    expect(new NamespacePolicy([], exists).allows({ metadata: {} }, 'x')).to.be.true;
    expect(new NamespacePolicy([], exists).allows({}, 'x')).to.be.true;
  });

  it('allows none that is not known', () => {
    expect(new NamespacePolicy([], EVERYTHING).allows(undefined, 'shop')).to.be.false;
  });
});

import { expect } from 'chai';
import { CLUSTER_LABEL, HOST_CLUSTER_LABEL, HOST_UID_ANNOTATION, OWNER_LABEL } from '../../../../src/apis/names.js';
import {
  foreignSelector,
  hostUidOf,
  isLabelled,
  isOwned,
  ownedSelector,
  ownershipLabels,
  ownershipOf,
} from '../../../../src/clustertree/cluster/ownership.js';
import { ownNamespace, OWNERSHIP } from '../../../support/member-harness.js';
import { matchesLabels } from '../../../support/selectors.js';

describe('ownershipOf', () => {
  it('gives the same owner for the same host and Cluster', () => {
    expect(ownershipOf('uid', 'east')).to.deep.equal(ownershipOf('uid', 'east'));
  });

  it('tells hosts and Clusters apart', () => {
    const owners = [ownershipOf('uid', 'east'), ownershipOf('uid', 'west'), ownershipOf('other', 'east')];
    expect(new Set(owners.map(({ owner }) => owner)).size).to.equal(3);
  });

  it('gives an owner that fits into a label', () => {
    expect(ownershipOf('uid', 'x'.repeat(200)).owner).to.match(/^[0-9a-f]{16}$/);
  });
});

describe('the selectors of an owner', () => {
  const labels = ownershipLabels(OWNERSHIP);
  const others = ownershipLabels(ownershipOf(OWNERSHIP.hostClusterUid, 'member2'));

  it('find what is ours', () => {
    expect(matchesLabels(labels, ownedSelector(OWNERSHIP))).to.be.true;
    expect(matchesLabels(labels, foreignSelector(OWNERSHIP))).to.be.false;
  });

  it('take what another Cluster of this host made for foreign', () => {
    expect(matchesLabels(others, ownedSelector(OWNERSHIP))).to.be.false;
    expect(matchesLabels(others, foreignSelector(OWNERSHIP))).to.be.true;
  });

  it('take what has no labels for foreign', () => {
    expect(matchesLabels({}, foreignSelector(OWNERSHIP))).to.be.true;
  });

  it('give labels by which the object can be found again', () => {
    expect(labels).to.have.keys(HOST_CLUSTER_LABEL, CLUSTER_LABEL, OWNER_LABEL);
  });
});

describe('isOwned', () => {
  it('knows an object of ours', () => {
    expect(isOwned(ownNamespace('shop'), OWNERSHIP)).to.be.true;
  });

  it('leaves an object alone that lacks the UID of a host object', () => {
    const copied = ownNamespace('shop', { annotations: {} });
    expect([isOwned(copied, OWNERSHIP), hostUidOf(copied)]).to.deep.equal([false, undefined]);
  });

  for (const label of [HOST_CLUSTER_LABEL, CLUSTER_LABEL]) {
    it(`leaves an object alone with another ${label}`, () => {
      const labels = { ...ownershipLabels(OWNERSHIP), [label]: 'another' };
      expect(isOwned(ownNamespace('shop', { labels, annotations: { [HOST_UID_ANNOTATION]: 'uid' } }), OWNERSHIP)).to.be
        .false;
    });
  }

  it('leaves an object without metadata alone', () => {
    expect(isOwned({}, OWNERSHIP)).to.be.false;
  });
});

describe('isLabelled', () => {
  it('is ours with both labels of ours', () => {
    const owner = ownershipOf('host-uid', 'east');
    const labels = ownershipLabels(owner);
    expect(isLabelled({ metadata: { labels } }, owner)).to.equal(true);
    for (const other of [ownershipOf('host-uid', 'west'), ownershipOf('other-uid', 'east')]) {
      expect(isLabelled({ metadata: { labels: ownershipLabels(other) } }, owner)).to.equal(false);
    }
    expect(isLabelled({}, owner)).to.equal(false);
  });
});

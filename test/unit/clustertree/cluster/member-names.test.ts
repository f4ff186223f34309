import { expect } from 'chai';
import {
  hostConfigMapName,
  isReservedName,
  memberConfigMapName,
  rootCaName,
  tokenSecretName,
} from '../../../../src/clustertree/cluster/member-names.js';

import { ownershipLabels, ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';

const OURS = ownershipOf('host-uid', 'east');

describe('names in the member', () => {
  const madeBy = (ownership: typeof OURS): Parameters<typeof rootCaName>[0] => ({
    metadata: { labels: ownershipLabels(ownership), annotations: { 'kosmos.io/host-uid': 'u' } },
  });

  for (const [what, namespace] of [
    ['does not exist yet', undefined],
    ['is nobody’s', { metadata: { name: 'shop' } }],
    ['is ours', madeBy(OURS)],
  ] as const) {
    it(`of the root certificates is the usual one in a namespace that ${what}`, () => {
      expect(rootCaName(namespace, OURS)).to.equal('master-root-ca.crt');
    });
  }

  for (const other of [ownershipOf('host-uid', 'west'), ownershipOf('other-uid', 'east')]) {
    it(`of the root certificates is one of our own in a namespace of ${other.hostClusterUid}/${other.clusterName}`, () => {
      const name = rootCaName(madeBy(other), OURS);
      expect(name).to.equal(`master-root-ca.crt-${OURS.owner}`);
      expect(memberConfigMapName('kube-root-ca.crt', name)).to.equal(name);
      expect(hostConfigMapName(name)).to.equal('kube-root-ca.crt');
      expect(isReservedName('ConfigMap', name)).to.be.true;
    });
  }

  for (const [host, member] of [
    ['kube-root-ca.crt', 'master-root-ca.crt'],
    ['settings', 'settings'],
  ] as const) {
    it(`of the host's ConfigMap ${host} is ${member}, and back`, () => {
      expect(memberConfigMapName(host)).to.equal(member);
      expect(hostConfigMapName(member)).to.equal(host);
    });
  }

  it('of the Secret for tokens is another for every pod', () => {
    expect(tokenSecretName('a-1')).to.equal('kosmos-token-a-1');
  });

  it('are reserved for what we make there ourselves', () => {
    expect(isReservedName('ConfigMap', 'master-root-ca.crt')).to.be.true;
    expect(isReservedName('ConfigMap', 'kube-root-ca.crt')).to.be.false;
    expect(isReservedName('Secret', 'master-root-ca.crt')).to.be.false;
    expect(isReservedName('Secret', tokenSecretName('a'))).to.be.true;
    expect(isReservedName('ConfigMap', tokenSecretName('a'))).to.be.false;
  });
});

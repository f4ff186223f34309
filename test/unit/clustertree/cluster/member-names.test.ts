import { expect } from 'chai';
import {
  hostConfigMapName,
  isReservedName,
  memberConfigMapName,
  tokenSecretName,
} from '../../../../src/clustertree/cluster/member-names.js';

describe('names in the member', () => {
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

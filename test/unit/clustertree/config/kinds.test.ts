import { expect } from 'chai';
import { podReferences } from '../../../../src/clustertree/cluster/pod-references.js';
import { CONFIG_MAP_KIND, SECRET_KIND } from '../../../../src/clustertree/config/kinds.js';

describe('the kinds that are copied', () => {
  const envFrom = [{ configMapRef: { name: 'c' } }, { secretRef: { name: 's' } }];
  const references = podReferences({ spec: { containers: [{ name: 'app', envFrom }] } });

  it('know their own among the references of a pod', () => {
    expect(CONFIG_MAP_KIND.referencesOf(references).map(({ name }) => name)).to.deep.equal(['c']);
    expect(SECRET_KIND.referencesOf(references).map(({ name }) => name)).to.deep.equal(['s']);
  });

  it('know the names on both sides', () => {
    const name = 'kube-root-ca.crt';
    expect(CONFIG_MAP_KIND.hostName(CONFIG_MAP_KIND.memberName(name, 'master-root-ca.crt'))).to.equal(name);
    expect(SECRET_KIND.hostName(SECRET_KIND.memberName(name, 'master-root-ca.crt'))).to.equal(name);
  });
});

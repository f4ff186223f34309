import { expect } from 'chai';
import fc from 'fast-check';
import type { Node } from '../../../../src/apis/core.js';
import {
  clusterManifest,
  credentialName,
  credentialSecret,
  isJoinedByUs,
  leafModelPerNode,
  memberOf,
} from '../../../../src/kosmosctl/join/host-objects.js';
import { nameProblem } from '../../../../src/kosmosctl/join/preflight.js';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,54}[a-z0-9])?$/);

describe('the Secret of a member', () => {
  it('gives back what was put into it, whatever letters that has', () => {
    fc.assert(
      fc.property(label, fc.string({ unit: 'grapheme' }), fc.uuid(), (cluster, kubeconfig, memberUid) => {
        const secret = credentialSecret({ cluster, namespace: 'kosmos-system', memberUid, kubeconfig });
        expect(memberOf(secret)).to.deep.equal({ uid: memberUid, kubeconfig });
      }),
    );
  });

  it('is empty for one that somebody has emptied', () => {
    for (const secret of [{}, { data: {} }, { metadata: {} }])
      expect(memberOf(secret)).to.deep.equal({ uid: undefined, kubeconfig: '' });
  });

  it('asks for the renewal of its token, and says who made it', () => {
    const options = { cluster: 'm', namespace: 'n', memberUid: 'u', kubeconfig: 'k' };
    expect(credentialSecret(options).metadata?.labels).to.deep.equal({
      'kosmos.io/member-credential': 'true',
      'app.kubernetes.io/managed-by': 'kosmosctl',
    });
  });

  it('is what makes a Cluster one that was joined by the command line', () => {
    const spec = (name: string | undefined): { readonly kubeconfigSecretRef?: { readonly name: string } } =>
      name === undefined ? {} : { kubeconfigSecretRef: { name } };
    const cluster = (name: string | undefined): Parameters<typeof isJoinedByUs>[0] => ({
      metadata: { name: 'm' },
      spec: spec(name),
    });
    expect(isJoinedByUs(cluster(credentialName('m')))).to.equal(true);
    expect(isJoinedByUs(cluster(credentialName('other')))).to.equal(false);
    expect(isJoinedByUs(cluster(undefined))).to.equal(false);
  });
});

describe('nameProblem', () => {
  it('accepts every label of at most 56 letters', () => {
    fc.assert(
      fc.property(label, (name) => {
        expect(nameProblem(name)).to.equal(undefined);
        // What is made of it must be a name of Kubernetes as well.
        expect(`kosmos-${name}`.length).to.be.at.most(63);
      }),
    );
  });

  const bad = ['', 'A', 'my_cluster', '-a', 'a-', 'a.b', 'ä', 'a b', 'a\n', 'c'.repeat(57), '../secrets', 'fd00::1'];
  for (const name of bad) {
    it(`refuses ${JSON.stringify(name.slice(0, 20))}, and says what is allowed`, () => {
      const problem = nameProblem(name);
      expect(problem).to.include({ exitCode: 2 });
      expect(problem?.message).to.contain(name);
      expect(problem?.cure).to.contain('at most 56 lower-case letters');
    });
  }
});

describe('clusterManifest', () => {
  const tree = { leafModels: [], kubeletStats: false, hostApiServer: undefined };
  const options = { name: 'm', namespace: 'n', tree, link: undefined };

  it('leaves to the manager what was not wished for', () => {
    expect(clusterManifest(options)['spec']).to.deep.equal({
      kubeconfigSecretRef: { name: 'kosmos-member-m', namespace: 'n' },
      clusterTreeOptions: { enable: true },
    });
  });

  it('links the network, with or without pods of the host', () => {
    const link = { cni: 'flannel', networkType: 'p2p' } as const;
    expect(clusterManifest({ ...options, link })['spec']).to.deep.include({
      clusterTreeOptions: { enable: true },
      clusterLinkOptions: { enable: true, cni: 'flannel', networkType: 'p2p' },
    });
    expect(clusterManifest({ ...options, tree: undefined, link })['spec']).to.deep.include({
      clusterTreeOptions: { enable: false },
    });
  });

  it('says all that was wished for', () => {
    const leafModels = [{ nodeSelector: { nodeName: 'w' } }];
    const spec = clusterManifest({
      ...options,
      tree: { leafModels, kubeletStats: true, hostApiServer: 'h:1' },
    })['spec'];
    expect(spec).to.have.deep.property('clusterTreeOptions', {
      enable: true,
      leafModels,
      statsSource: 'Kubelets',
      hostAPIServer: 'h:1',
    });
  });
});

describe('leafModelPerNode', () => {
  const node = (name: string, join?: string): Node => ({
    metadata: { name, labels: join === undefined ? {} : { 'kosmos.io/join': join } },
  });
  const table: readonly (readonly [string, readonly Node[], readonly string[]])[] = [
    ['all nodes when none has the label', [node('a'), node('b')], ['a', 'b']],
    ['those with the label when one has it', [node('a'), node('b', 'true'), node('c', 'true')], ['b', 'c']],
    ['all nodes when the label says false', [node('a', 'false'), node('b')], ['a', 'b']],
    ['none in a member without nodes', [], []],
  ];
  for (const [what, nodes, names] of table) {
    it(`is ${what}`, () => {
      expect(leafModelPerNode(nodes).map(({ nodeSelector }) => nodeSelector?.nodeName)).to.deep.equal(names);
    });
  }
});

import { expect } from 'chai';
import type { Node } from '../../../../src/apis/core.js';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { linkReadinessOf, readinessOf } from '../../../../src/kosmosctl/join/readiness.js';

const SERVER = 'https://member:6443';

function cluster(ready: readonly [string, string, string] | undefined, leafs: readonly string[] = []): Cluster {
  const conditions =
    ready === undefined
      ? []
      : [{ type: 'Ready', status: ready[0] as 'True', reason: ready[1], message: ready[2], lastTransitionTime: '' }];
  return {
    metadata: { name: 'member1' },
    spec: {},
    status: { conditions, clusterTreeStatus: { leafNodeItems: leafs.map((leafNodeName) => ({ leafNodeName })) } },
  };
}

function node(name: string, status: string): Node {
  return { metadata: { name }, status: { conditions: [{ type: 'Ready', status }] } };
}

describe('readinessOf', () => {
  it('is reached when the Cluster and all its virtual nodes are ready', () => {
    const ready = cluster(['True', 'AllWell', ''], ['a', 'b']);
    expect(readinessOf(ready, [node('a', 'True'), node('b', 'True')], SERVER)).to.deep.equal({ found: 'a, b' });
  });

  it('waits for the first look of a manager', () => {
    expect(readinessOf(cluster(undefined), [], SERVER)).to.have.property(
      'pending',
      'no manager has looked at the Cluster yet',
    );
  });

  it('waits for nodes that are missing or not ready, and says which', () => {
    const ready = cluster(['True', 'AllWell', ''], ['a', 'b', 'c']);
    expect(readinessOf(ready, [node('a', 'True'), node('b', 'False')], SERVER)).to.have.property(
      'pending',
      'not ready: b, c',
    );
    expect(readinessOf(cluster(['True', 'AllWell', '']), [], SERVER)).to.have.property(
      'pending',
      'its virtual nodes are not there yet',
    );
  });

  const cures: readonly (readonly [string, string | undefined])[] = [
    ['ConnectionFailed', '--inner-kubeconfig'],
    ['ProbeTimeout', SERVER],
    ['CertificateInvalid', 'certificate authority'],
    ['CredentialRefused', 'another cluster'],
    ['MemberNotReady', 'readyz'],
    ['ListFailed', 'admission'],
    ['NodeConflict', 'another name'],
    ['Syncing', undefined],
  ];
  for (const [reason, cure] of cures) {
    it(`says what to do about ${reason}`, () => {
      const probed = readinessOf(cluster(['False', reason, 'words']), [], SERVER) as { pending: string; cure?: string };
      expect(probed.pending).to.equal(`${reason}: words`);
      if (cure === undefined) expect(probed.cure).to.equal(undefined);
      else expect(probed.cure).to.contain(cure);
    });
  }
});

describe('linkReadinessOf', () => {
  const link = (status: 'True' | 'False', reason: string): Pick<Cluster, 'status'> => ({
    status: {
      conditions: [{ type: 'ClusterLinkReady', status, reason, message: 'm', lastTransitionTime: '' }],
      clusterLinkStatus: { nodes: { ready: 1, total: 1, summary: '1/1' } },
    },
  });

  it('is reached when all nodes have what is planned for them', () => {
    expect(linkReadinessOf(link('True', 'Linked'))).to.deep.equal({ found: '1 node' });
  });

  it('waits for the first look of a manager', () => {
    expect(linkReadinessOf({})).to.deep.include({ pending: 'no manager has looked at its network yet' });
  });

  it('has no cure for what passes by itself', () => {
    expect(linkReadinessOf(link('False', 'Connecting'))).to.deep.equal({ pending: 'Connecting: m', cure: undefined });
  });
});

import { expect } from 'chai';
import type { KubeObject, ObjectMeta } from '../../../../src/apis/core.js';
import { HOST_UID_ANNOTATION } from '../../../../src/apis/names.js';
import { ownershipLabels, ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';
import { CONFIG_MAP_KIND, SECRET_KIND } from '../../../../src/clustertree/config/kinds.js';
import { judgeCopy, type CopyPair } from '../../../../src/kosmosctl/adopt/copies.js';
import { deepFreeze } from '../../../support/pods.js';

const OWNERSHIP = ownershipOf('host-cluster-uid', 'member1');
const GLOBAL = { 'kosmos.io/global': 'true' };
const AT = { namespace: 'shop', name: 'settings' };

function copyWith(metadata: ObjectMeta = {}): KubeObject {
  return { metadata: { ...AT, uid: 'copy-uid', annotations: GLOBAL, ...metadata } };
}

function judge(parts: Partial<CopyPair> = {}) {
  const hostObject = { metadata: { ...AT, uid: 'host-object-uid', labels: { app: 'web' } } };
  const pair = { kind: CONFIG_MAP_KIND, hostObject, copy: copyWith(), isUsed: true, ...parts };
  return judgeCopy(deepFreeze(pair), OWNERSHIP);
}

describe('judgeCopy', () => {
  it('adopts a copy that pods of the host need, with the metadata that the manager gives it', () => {
    const annotations = {
      note: 'x',
      'kosmos-io/cluster-owners': 'member1',
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
    };
    const judgement = judge({
      hostObject: { metadata: { ...AT, uid: 'host-object-uid', labels: { app: 'web' }, annotations } },
    });
    expect(judgement).to.deep.equal({
      kind: 'adopt',
      changes: [
        {
          ...{ where: 'member', how: 'apply', type: CONFIG_MAP_KIND.type, ref: AT },
          body: {
            ...{ apiVersion: 'v1', kind: 'ConfigMap' },
            metadata: {
              ...{ ...AT, uid: 'copy-uid' },
              labels: { app: 'web', ...ownershipLabels(OWNERSHIP) },
              annotations: { note: 'x', [HOST_UID_ANNOTATION]: 'host-object-uid' },
            },
          },
        },
      ],
    });
  });

  it("keeps the name that the host's root certificates have in the member", () => {
    const judgement = judge({ copy: copyWith({ name: 'master-root-ca.crt' }) });
    expect(judgement).to.have.nested.property('changes[0].ref.name', 'master-root-ca.crt');
  });

  it('knows what is ours already', () => {
    expect(judge({ copy: copyWith({ labels: ownershipLabels(OWNERSHIP) }) })).to.deep.equal({ kind: 'adopted' });
  });

  const ROWS: readonly (readonly [when: string, parts: Partial<CopyPair>, kind: string | undefined, why?: RegExp])[] = [
    ['no pod needs it', { isUsed: false }, 'stays', /^no pod of the host refers to it/],
    ['the host has lost it', { hostObject: undefined }, 'stays', /^the host has no such object any more/],
    [
      'it is of the member itself and needed',
      { copy: copyWith({ annotations: {} }) },
      'problem',
      /somebody else.*wait/,
    ],
    ['it is of the member itself', { copy: copyWith({ annotations: {} }), isUsed: false }, undefined],
    [
      'it is of the member itself, and the host has none',
      { copy: copyWith({ annotations: {} }), hostObject: undefined },
      undefined,
    ],
    [
      'another Cluster has it',
      { copy: copyWith({ labels: ownershipLabels(ownershipOf('host-cluster-uid', 'b')) }) },
      'problem',
      /belongs to Cluster b in the member/,
    ],
    [
      'it holds the token of an account',
      {
        kind: SECRET_KIND,
        copy: copyWith({ annotations: { ...GLOBAL, 'kubernetes.io/service-account.name': 'a' } }),
        isUsed: false,
      },
      'stays',
      /^holds a token that does not expire/,
    ],
    [
      'it holds the token of the default account',
      {
        kind: SECRET_KIND,
        copy: copyWith({ annotations: { ...GLOBAL, 'kosmos.io/service-account.name': 'default' } }),
        isUsed: false,
      },
      'stays',
      /^holds a token that does not expire/,
    ],
    [
      'it holds a token that pods name',
      { kind: SECRET_KIND, copy: copyWith({ annotations: { ...GLOBAL, 'kubernetes.io/service-account.name': 'a' } }) },
      'problem',
      /new pods that name it wait until then$/,
    ],
  ];
  for (const [when, parts, kind, why] of ROWS) {
    it(`says ${kind ?? 'nothing'} when ${when}`, () => {
      const judgement = judge(parts);
      expect(judgement?.kind).to.equal(kind);
      if (why !== undefined) expect(judgement).to.have.property('why').that.matches(why);
    });
  }
});

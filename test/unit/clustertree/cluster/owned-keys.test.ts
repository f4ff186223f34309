import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { keepOwnedKeys, ownedKeys } from '../../../../src/clustertree/cluster/owned-keys.js';
import { deepFreeze, memberPod } from '../../../support/pods.js';

type Entries = NonNullable<NonNullable<Pod['metadata']>['managedFields']>;

function fields(labels: string[], annotations: string[]): object {
  const leaves = (keys: string[]): object =>
    Object.fromEntries(['.', ...keys.map((key) => `f:${key}`)].map((key) => [key, {}]));
  return {
    'f:metadata': { 'f:labels': leaves(labels), 'f:annotations': leaves(annotations), 'f:name': {} },
    'f:spec': { 'f:containers': {} },
  };
}

function podWith(managedFields: Entries): Pod {
  return deepFreeze(memberPod({ metadata: { name: 'web-0', uid: 'member-uid', managedFields } }));
}

const OURS = {
  manager: 'kosmos-manager',
  operation: 'Update',
  apiVersion: 'v1',
  fieldsV1: fields(['app', 'kosmos-io/pod'], ['kosmos.io/host-uid']),
};
const CNI = { manager: 'calico', operation: 'Update', fieldsV1: fields(['cni'], ['cni.projectcalico.org/podIP']) };

describe('ownedKeys', () => {
  it('lists the keys that this product wrote', () => {
    expect(ownedKeys(podWith([CNI, OURS]))).to.deep.equal({
      labels: ['app', 'kosmos-io/pod'],
      annotations: ['kosmos.io/host-uid'],
    });
  });

  it('adds up several entries of ours', () => {
    const second = { ...OURS, fieldsV1: fields(['app', 'tier'], []) };
    expect(ownedKeys(podWith([OURS, second])).labels).to.deep.equal(['app', 'kosmos-io/pod', 'tier']);
  });

  it('does not count what was written through a subresource', () => {
    expect(ownedKeys(podWith([{ ...OURS, subresource: 'status' }])).labels).to.deep.equal([]);
  });

  for (const [name, entries] of [
    ['no record', undefined],
    ['an empty record', [{ manager: 'kosmos-manager' }]],
    ['a record without metadata', [{ manager: 'kosmos-manager', fieldsV1: { 'f:spec': {} } }]],
    ['a record that is null', [{ manager: 'kosmos-manager', fieldsV1: null }]],
  ] as const) {
    it(`owns nothing when there is ${name}`, () => {
      const pod = memberPod({ metadata: { managedFields: entries } });
      expect(ownedKeys(pod)).to.deep.equal({ labels: [], annotations: [] });
    });
  }

  it('owns nothing of a pod without metadata', () => {
    expect(ownedKeys({})).to.deep.equal({ labels: [], annotations: [] });
  });
});

describe('keepOwnedKeys', () => {
  it('gives the same answer as before, with much less', () => {
    const pod = podWith([CNI, OURS]);
    const kept = keepOwnedKeys(pod);
    expect(ownedKeys(kept)).to.deep.equal(ownedKeys(pod));
    expect(JSON.stringify(kept)).not.to.contain('calico').and.not.contain('f:containers');
  });

  it('can be applied again without a change', () => {
    const kept = keepOwnedKeys(podWith([OURS]));
    expect(keepOwnedKeys(kept)).to.deep.equal(kept);
  });

  it('leaves the rest of the pod as it is', () => {
    const { metadata, ...rest } = keepOwnedKeys(podWith([OURS]));
    expect(rest).to.deep.equal({ apiVersion: 'v1', kind: 'Pod', spec: memberPod().spec });
    expect(metadata).to.include({ name: 'web-0', uid: 'member-uid' });
  });

  it('works on a pod without metadata', () => {
    expect(ownedKeys(keepOwnedKeys({}))).to.deep.equal({ labels: [], annotations: [] });
  });
});

import { expect } from 'chai';
import type { NodeSelectorRequirement } from '../../../../src/apis/core.js';
import {
  isHostKey,
  type PlacementContext,
  meansSomething,
  memberNodeAffinity,
  memberNodeSelector,
} from '../../../../src/clustertree/pod/node-terms.js';
import { asJson, deepFreeze } from '../../../support/pods.js';

const CONTEXT: PlacementContext = {
  virtualNode: {
    name: 'kosmos-member1',
    labels: { 'kosmos.io/cluster': 'member1', 'kosmos.io/node': 'true', 'kosmos.io/rank': '5' },
    taints: [],
  },
};
const DISK = { key: 'disk', operator: 'In', values: ['ssd'] };
const HERE = { key: 'kosmos.io/cluster', operator: 'In', values: ['member1'] };
const ELSEWHERE = { key: 'kosmos.io/cluster', operator: 'In', values: ['member2'] };

function required(...terms: NodeSelectorRequirement[][]): unknown {
  const nodeSelectorTerms = terms.map((matchExpressions) => ({ matchExpressions }));
  const affinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
  const result = memberNodeAffinity(deepFreeze(affinity), CONTEXT);
  return asJson(
    result.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.map((term) => term.matchExpressions) ??
      'none',
  );
}

describe('isHostKey', () => {
  for (const key of ['kosmos.io/cluster', 'kosmos-io/x', 'kubernetes.io/hostname', 'kubernetes.io/role']) {
    it(`counts ${key} among the labels of virtual nodes`, () => {
      expect(isHostKey(key)).to.be.true;
    });
  }
  for (const key of ['kubernetes.io/os', 'kubernetes.io/arch', 'topology.kubernetes.io/zone', 'disk']) {
    it(`counts ${key} among the labels of machines`, () => {
      expect(isHostKey(key)).to.be.false;
    });
  }
});

describe('meansSomething', () => {
  it('trusts any key of machines while the labels of the member are not known', () => {
    expect(meansSomething('disk', CONTEXT)).to.be.true;
  });

  it('wants a member node that has the label once they are', () => {
    const context = { ...CONTEXT, memberLabelKeys: new Set(['disk', 'kosmos.io/cluster']) };
    expect(meansSomething('disk', context)).to.be.true;
    expect(meansSomething('team', context)).to.be.false;
    expect(meansSomething('kosmos.io/cluster', context)).to.be.false;
  });
});

describe('memberNodeSelector', () => {
  it('keeps what the member can answer and names the rest', () => {
    const selector = { 'kosmos.io/cluster': 'member1', 'kubernetes.io/os': 'linux', disk: 'ssd' };
    expect(memberNodeSelector(selector, CONTEXT)).to.deep.equal({
      kept: { 'kubernetes.io/os': 'linux', disk: 'ssd' },
      dropped: ['kosmos.io/cluster'],
    });
  });
});

describe('memberNodeAffinity', () => {
  it('keeps a requirement that only concerns machines', () => {
    expect(required([DISK])).to.deep.equal([[DISK]]);
  });

  it('leaves out what the virtual node fulfils', () => {
    expect(required([HERE, DISK])).to.deep.equal([[DISK]]);
  });

  it('leaves out alternatives that chose another cluster', () => {
    expect(required([ELSEWHERE], [HERE, DISK])).to.deep.equal([[DISK]]);
  });

  it('asks nothing more when one alternative is fulfilled by the virtual node alone', () => {
    expect(required([HERE], [DISK])).to.equal('none');
  });

  it('asks nothing more when no alternative is left: the host has decided', () => {
    expect(required([ELSEWHERE])).to.equal('none');
  });

  it('does not take an empty alternative, which matches no node, for a fulfilled one', () => {
    expect(required([], [DISK])).to.deep.equal([[DISK]]);
  });

  const operators: [string, NodeSelectorRequirement, boolean][] = [
    ['In with the value', HERE, true],
    ['In with another value', ELSEWHERE, false],
    ['In without the label', { key: 'kosmos.io/x', operator: 'In', values: ['1'] }, false],
    ['In without values', { key: 'kosmos.io/cluster', operator: 'In' }, false],
    ['NotIn with another value', { ...ELSEWHERE, operator: 'NotIn' }, true],
    ['NotIn with the value', { ...HERE, operator: 'NotIn' }, false],
    ['NotIn without the label', { key: 'kosmos.io/x', operator: 'NotIn', values: ['1'] }, true],
    ['Exists', { key: 'kosmos.io/node', operator: 'Exists' }, true],
    ['Exists without the label', { key: 'kosmos.io/x', operator: 'Exists' }, false],
    ['DoesNotExist', { key: 'kosmos.io/node', operator: 'DoesNotExist' }, false],
    ['DoesNotExist without the label', { key: 'kosmos.io/x', operator: 'DoesNotExist' }, true],
    ['Gt of a smaller number', { key: 'kosmos.io/rank', operator: 'Gt', values: ['4'] }, true],
    ['Gt of the same number', { key: 'kosmos.io/rank', operator: 'Gt', values: ['5'] }, false],
    ['Gt without the label', { key: 'kosmos.io/x', operator: 'Gt', values: ['4'] }, false],
    ['Lt of a greater number', { key: 'kosmos.io/rank', operator: 'Lt', values: ['6'] }, true],
    ['Lt of the same number', { key: 'kosmos.io/rank', operator: 'Lt', values: ['5'] }, false],
    ['Lt without the label', { key: 'kosmos.io/x', operator: 'Lt', values: ['4'] }, false],
    ['an operator that it does not know', { key: 'kosmos.io/node', operator: 'Resembles' }, false],
  ];
  for (const [name, requirement, fulfilled] of operators) {
    it(`finds ${name} ${fulfilled ? 'fulfilled' : 'not fulfilled'} by the virtual node`, () => {
      // The second alternative shows whether the first one was left out or taken for fulfilled.
      expect(required([requirement, DISK], [{ ...DISK, values: ['hdd'] }])).to.deep.equal(
        fulfilled ? [[DISK], [{ ...DISK, values: ['hdd'] }]] : [[{ ...DISK, values: ['hdd'] }]],
      );
    });
  }

  it('takes a term with empty lists, or with node fields alone, for what it is', () => {
    const here = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['kosmos-member1'] }] };
    const terms = (...nodeSelectorTerms: object[]): object => ({
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
    });
    expect(asJson(memberNodeAffinity(terms({}), CONTEXT))).to.deep.equal({});
    expect(asJson(memberNodeAffinity(terms(here, { matchExpressions: [DISK] }), CONTEXT))).to.deep.equal({});
  });

  it('compares the node name of matchFields with the virtual node', () => {
    const term = (name: string): object => ({
      matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }],
      matchExpressions: [DISK],
    });
    const affinity = {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [term('kosmos-member2'), term('kosmos-member1')],
      },
    };
    expect(asJson(memberNodeAffinity(affinity, CONTEXT))).to.deep.equal({
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [DISK] }] },
    });
  });

  it('keeps preferences for machines and drops those for virtual nodes', () => {
    const preferred = [HERE, ELSEWHERE, DISK].map((requirement, index) => ({
      weight: index + 1,
      preference: { matchExpressions: [requirement] },
    }));
    const result = memberNodeAffinity({ preferredDuringSchedulingIgnoredDuringExecution: preferred }, CONTEXT);
    expect(asJson(result)).to.deep.equal({
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 3, preference: { matchExpressions: [DISK] } }],
    });
  });

  it('is empty for an empty affinity', () => {
    expect(asJson(memberNodeAffinity({}, CONTEXT))).to.deep.equal({});
  });
});

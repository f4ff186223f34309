import { expect } from 'chai';
import { deployment, nodesFor, singlePod, split } from '../../../hack/bench/workload.js';

interface Template {
  readonly spec: { readonly template: { readonly spec: { readonly nodeSelector: object } } };
}

describe('split', () => {
  for (const [total, parts, expected] of [
    [1_000, 2, [500, 500]],
    [10, 4, [3, 3, 2, 2]],
    [1, 3, [1, 0, 0]],
  ] as const) {
    it(`${total} into ${parts}`, () => {
      expect(split(total, parts)).to.deep.equal(expected);
    });
  }
});

describe('nodesFor', () => {
  it('leaves room for every pod at the usual 110 per node', () => {
    for (const pods of [1, 109, 110, 111, 1_000, 10_000]) {
      expect(nodesFor(pods) * 110, `${pods} pods`).to.be.at.least(pods);
    }
    expect(nodesFor(1_000)).to.equal(10);
  });
});

describe('the workload', () => {
  it('is the same natively and through the manager, but for the nodes', () => {
    const [native, virtual] = (['native', 'virtual'] as const).map((placement) => {
      const object = deployment('burst', 5, placement) as unknown as Template;
      const { nodeSelector, ...spec } = object.spec.template.spec;
      return {
        nodeSelector,
        rest: { ...object, spec: { ...object.spec, template: { ...object.spec.template, spec } } },
      };
    });
    expect(native?.rest).to.deep.equal(virtual?.rest);
    expect(native?.nodeSelector).to.not.deep.equal(virtual?.nodeSelector);
  });

  it('has the same pods in a burst and one by one', () => {
    const object = deployment('burst', 5, 'virtual') as unknown as Template;
    expect(singlePod('paced-0', 'virtual').spec).to.deep.equal(object.spec.template.spec);
  });

  it('needs what is asked for, the same in both places, and nothing else', () => {
    const both = { config: true, token: true };
    const [native, virtual] = (['native', 'virtual'] as const).map((one) => singlePod('one', one, both).spec!);
    expect(native?.volumes).to.deep.equal(virtual?.volumes).and.have.length(2);
    expect([native, virtual].map((spec) => spec?.automountServiceAccountToken)).to.deep.equal([true, true]);
    const plain = singlePod('one', 'virtual').spec!;
    expect([plain.volumes, plain.automountServiceAccountToken]).to.deep.equal([undefined, false]);
  });
});

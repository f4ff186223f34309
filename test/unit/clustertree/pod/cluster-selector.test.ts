import { expect } from 'chai';
import type { Affinity } from '../../../../src/apis/core.js';
import {
  applyClusterSelector,
  type ClusterSelector,
  parseClusterSelector,
} from '../../../../src/clustertree/pod/cluster-selector.js';
import { asJson } from '../../../support/pods.js';

function nodeAffinity(key: string): NonNullable<Affinity['nodeAffinity']> {
  const matchExpressions = [{ key, operator: 'Exists' }];
  return { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } };
}

const PREFERRED = {
  preferredDuringSchedulingIgnoredDuringExecution: [
    { weight: 1, preference: { matchExpressions: [{ key: 'p', operator: 'Exists' }] } },
  ],
};
const POD_AFFINITY = { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone' }] };

describe('parseClusterSelector', () => {
  it('reads the four fields', () => {
    const value = {
      nodeSelector: { disk: 'ssd' },
      affinity: { nodeAffinity: nodeAffinity('a') },
      tolerations: [{ key: 'a', operator: 'Exists' }],
      topologySpreadConstraints: [],
    };
    expect(parseClusterSelector(JSON.stringify(value))).to.deep.equal(value);
  });

  it('takes null for absent and ignores other fields', () => {
    expect(asJson(parseClusterSelector('{"nodeSelector":null,"other":1}'))).to.deep.equal({});
  });

  for (const [text, problem] of [
    ['{', 'is not JSON'],
    ['', 'is not JSON'],
    ['[]', 'is not a JSON object'],
    ['null', 'is not a JSON object'],
    ['"x"', 'is not a JSON object'],
    ['{"nodeSelector":[]}', 'has "nodeSelector", which is not an object'],
    ['{"affinity":"x"}', 'has "affinity", which is not an object'],
    ['{"tolerations":{}}', 'has "tolerations", which is not an array'],
    ['{"topologySpreadConstraints":1}', 'has "topologySpreadConstraints", which is not an array'],
  ] as const) {
    it(`says what is wrong with ${JSON.stringify(text)}`, () => {
      expect(parseClusterSelector(text)).to.equal(problem);
    });
  }
});

describe('applyClusterSelector', () => {
  const rows: { name: string; selector: ClusterSelector; own: Affinity | undefined; affinity: Affinity | undefined }[] =
    [
      {
        name: "takes the annotation's whole affinity for a pod without one",
        selector: { affinity: { nodeAffinity: nodeAffinity('a'), podAffinity: POD_AFFINITY } },
        own: undefined,
        affinity: { nodeAffinity: nodeAffinity('a'), podAffinity: POD_AFFINITY },
      },
      {
        name: "replaces only the required node part of a pod's own affinity",
        selector: { affinity: { nodeAffinity: nodeAffinity('a'), podAffinity: {} } },
        own: { nodeAffinity: { ...nodeAffinity('own'), ...PREFERRED }, podAntiAffinity: POD_AFFINITY },
        affinity: { nodeAffinity: { ...nodeAffinity('a'), ...PREFERRED }, podAntiAffinity: POD_AFFINITY },
      },
      {
        name: 'takes the whole node affinity for a pod that has only others',
        selector: { affinity: { nodeAffinity: { ...nodeAffinity('a'), ...PREFERRED } } },
        own: { podAntiAffinity: POD_AFFINITY },
        affinity: { nodeAffinity: { ...nodeAffinity('a'), ...PREFERRED }, podAntiAffinity: POD_AFFINITY },
      },
      {
        name: "removes a pod's node affinity when the annotation has none",
        selector: {},
        own: { nodeAffinity: nodeAffinity('own'), podAntiAffinity: POD_AFFINITY },
        affinity: { podAntiAffinity: POD_AFFINITY },
      },
      {
        name: 'leaves no empty affinity',
        selector: {},
        own: { nodeAffinity: nodeAffinity('own') },
        affinity: undefined,
      },
      { name: 'leaves a pod without affinity without one', selector: {}, own: undefined, affinity: undefined },
    ];
  for (const { name, selector, own, affinity } of rows) {
    it(name, () => {
      expect(asJson({ affinity: applyClusterSelector(selector, own).affinity })).to.deep.equal(asJson({ affinity }));
    });
  }

  it('passes the other fields on', () => {
    const selector = { nodeSelector: { a: 'b' }, tolerations: [], topologySpreadConstraints: [] };
    expect(asJson(applyClusterSelector(selector, undefined))).to.deep.equal(selector);
  });
});

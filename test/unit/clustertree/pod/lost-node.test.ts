import { expect } from 'chai';
import type { Toleration } from '../../../../src/apis/core.js';
import { isAboutLostNode, isDefaulted } from '../../../../src/clustertree/pod/lost-node.js';

const DEFAULT: Toleration = {
  key: 'node.kubernetes.io/unreachable',
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
};

describe('tolerations of a lost node', () => {
  const rows: [string, Toleration, boolean, boolean][] = [
    ['what the admission adds for unreachable nodes', DEFAULT, true, true],
    [
      'what the admission adds for nodes that are not ready',
      { ...DEFAULT, key: 'node.kubernetes.io/not-ready' },
      true,
      true,
    ],
    ['another time', { ...DEFAULT, tolerationSeconds: 30 }, true, false],
    ['no limit', { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' }, true, false],
    ['another operator', { ...DEFAULT, operator: 'Equal' }, true, false],
    ['any effect', { key: 'node.kubernetes.io/unreachable', operator: 'Exists' }, false, false],
    ['another taint', { ...DEFAULT, key: 'node.kubernetes.io/disk-pressure' }, false, false],
    ['everything', { operator: 'Exists', effect: 'NoExecute' }, false, false],
  ];
  for (const [name, toleration, aboutLostNode, defaulted] of rows) {
    it(`knows ${name}`, () => {
      expect(isAboutLostNode(toleration)).to.equal(aboutLostNode);
      expect(isDefaulted(toleration)).to.equal(defaulted);
    });
  }
});

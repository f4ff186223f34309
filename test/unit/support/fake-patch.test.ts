import { expect } from 'chai';
import type { PatchType } from '../../../src/kube/client.js';
import { applyPatch, type Json } from '../../support/fake-patch.js';

describe('applyPatch', () => {
  const target: Json = { a: 1, list: [1, 2], map: { x: 'y' }, conditions: [{ type: 'A', status: 'True' }] };
  const cases: readonly (readonly [string, PatchType, unknown, Json])[] = [
    ['merges maps', 'merge', { map: { z: 1 } }, { ...target, map: { x: 'y', z: 1 } }],
    ['removes what is null', 'merge', { map: { x: null } }, { ...target, map: {} }],
    ['replaces lists in a merge patch', 'merge', { list: [3] }, { ...target, list: [3] }],
    ['replaces plain lists in a strategic patch', 'strategic', { list: [3] }, { ...target, list: [3] }],
    [
      'merges conditions by type in a strategic patch',
      'strategic',
      { conditions: [{ type: 'B' }, { type: 'A', reason: 'x' }] },
      { ...target, conditions: [{ type: 'A', status: 'True', reason: 'x' }, { type: 'B' }] },
    ],
    [
      'deletes by directive',
      'strategic',
      { conditions: [{ type: 'A', $patch: 'delete' }] },
      { ...target, conditions: [] },
    ],
    [
      'replaces a list by directive',
      'strategic',
      { conditions: [{ $patch: 'replace' }] },
      { ...target, conditions: [] },
    ],
    ['replaces a map by directive', 'strategic', { map: { $patch: 'replace', q: 1 } }, { ...target, map: { q: 1 } }],
    ['ignores the order directive', 'strategic', { '$setElementOrder/conditions': [{ type: 'A' }] }, target],
    ['deletes primitives', 'strategic', { '$deleteFromPrimitiveList/list': [1] }, { ...target, list: [2] }],
    ['joins finalizers', 'strategic', { finalizers: ['f'] }, { ...target, finalizers: ['f'] }],
    ['adds by JSON patch', 'json', [{ op: 'add', path: '/list/-', value: 3 }], { ...target, list: [1, 2, 3] }],
    ['inserts by JSON patch', 'json', [{ op: 'add', path: '/list/0', value: 0 }], { ...target, list: [0, 1, 2] }],
    ['removes by JSON patch', 'json', [{ op: 'remove', path: '/list/0' }], { ...target, list: [2] }],
    ['replaces by JSON patch', 'json', [{ op: 'replace', path: '/map/x', value: 'z' }], { ...target, map: { x: 'z' } }],
    ['passes a test that holds', 'json', [{ op: 'test', path: '/a', value: 1 }], target],
  ];
  for (const [what, type, patch, expected] of cases) {
    it(what, () => {
      const before = structuredClone(target);
      expect(applyPatch(target, patch, type)).to.deep.equal(expected);
      expect(target).to.deep.equal(before);
    });
  }

  for (const operation of [
    { op: 'test', path: '/a', value: 2 },
    { op: 'remove', path: '/missing' },
    { op: 'replace', path: '/missing', value: 1 },
    { op: 'replace', path: '/list/7', value: 1 },
    { op: 'add', path: '/missing/deep', value: 1 },
    { op: 'jump', path: '/a' },
  ]) {
    it(`refuses ${operation.op} ${operation.path}`, () => {
      expect(() => applyPatch(target, [operation], 'json'))
        .to.throw()
        .with.property('reason', 'Invalid');
    });
  }
});

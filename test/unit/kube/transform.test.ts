import { expect } from 'chai';
import type { KubeObject } from '../../../src/apis/core.js';
import { withoutManagedFields } from '../../../src/kube/transform.js';
import { deepFreeze } from '../../../src/lib/deep-freeze.js';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

describe('withoutManagedFields', () => {
  it('drops managed fields and the copy that kubectl keeps, and nothing else', () => {
    const object: KubeObject = deepFreeze({
      kind: 'Pod',
      metadata: { name: 'a', managedFields: [{ manager: 'm' }], annotations: { [LAST_APPLIED]: '{}', mine: 'x' } },
      spec: { containers: [] },
    });
    expect(withoutManagedFields(object)).to.deep.equal({
      kind: 'Pod',
      metadata: { name: 'a', annotations: { mine: 'x' } },
      spec: { containers: [] },
    });
  });

  it('leaves the given object alone', () => {
    const object: KubeObject = { metadata: { name: 'a', managedFields: [{ manager: 'm' }] } };
    withoutManagedFields(object);
    expect(object.metadata?.managedFields).to.have.length(1);
  });

  it('copies nothing when there is nothing to drop', () => {
    for (const object of [{ kind: 'Pod' }, { metadata: {} }, { metadata: { annotations: { a: 'b' } } }]) {
      expect(withoutManagedFields<KubeObject>(object)).to.equal(object);
    }
  });

  it('drops managed fields of an object without annotations, and the copy of one without managed fields', () => {
    expect(withoutManagedFields<KubeObject>({ metadata: { name: 'a', managedFields: [] } })).to.deep.equal({
      metadata: { name: 'a' },
    });
    expect(withoutManagedFields<KubeObject>({ metadata: { annotations: { [LAST_APPLIED]: '' } } })).to.deep.equal({
      metadata: { annotations: {} },
    });
  });
});

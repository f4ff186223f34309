import { expect } from 'chai';
import fc from 'fast-check';
import type { ForeignPod } from '../../../../src/clustertree/node/foreign-pod.js';
import { createForeignPodTrimmer } from '../../../../src/clustertree/node/foreign-pod.js';
import { virtualCapacity } from '../../../../src/clustertree/node/capacity.js';
import { MemberInventory } from '../../../../src/clustertree/node/inventory.js';
import type { MemberNode } from '../../../../src/clustertree/node/member-node.js';
import type { ResourceList } from '../../../../src/lib/resource-list.js';
import { addResources, formatResources, NO_RESOURCES } from '../../../../src/lib/resource-list.js';
import type { MemberNodeOptions } from '../../../support/member-objects.js';
import { foreignPodObject, memberNode, virtualNodes } from '../../../support/member-objects.js';

const trim = createForeignPodTrimmer();

function foreignPod(nodeName: string, requests: ResourceList): ForeignPod {
  const pod = trim(foreignPodObject(nodeName, requests));
  if (pod === undefined) throw new Error('the pod is bound and runs');
  return pod;
}

function inventoryOf(...nodes: readonly MemberNode[]): MemberInventory {
  const inventory = new MemberInventory();
  for (const node of nodes) inventory.setNode(node);
  return inventory;
}

const capacityOf = (
  inventory: MemberInventory,
  mode: keyof typeof virtualNodes = 'all',
): { readonly capacity: ResourceList; readonly allocatable: ResourceList } => {
  const { capacity, allocatable } = inventory.capacity(virtualNodes[mode]);
  return { capacity: formatResources(capacity), allocatable: formatResources(allocatable) };
};

describe('MemberInventory', () => {
  it('adds up what the available nodes can give', () => {
    const inventory = inventoryOf(memberNode('n1'), memberNode('n2'), memberNode('n3'));
    expect(capacityOf(inventory)).to.deep.equal({
      capacity: { cpu: '12', memory: '24Gi', pods: '330' },
      allocatable: { cpu: '12', memory: '24Gi', pods: '330' },
    });
  });

  it('knows the keys of all labels, also after a node changed or went', () => {
    const inventory = inventoryOf(memberNode('n1', { labels: { a: '1' } }), memberNode('n2', { labels: { b: '1' } }));
    expect([...inventory.labelKeys()]).to.include.members(['a', 'b']);
    inventory.setNode(memberNode('n2', { labels: { c: '1' } }));
    expect([...inventory.labelKeys()])
      .to.include.members(['a', 'c'])
      .and.not.include('b');
    inventory.deleteNode('n1');
    expect([...inventory.labelKeys()])
      .to.include('c')
      .and.not.include('a');
  });

  it('takes away what foreign pods request, and their number', () => {
    const inventory = inventoryOf(memberNode('n1'));
    inventory.changePod(undefined, foreignPod('n1', { cpu: '500m', memory: '1Gi' }));
    inventory.changePod(undefined, foreignPod('n1', {}));
    expect(capacityOf(inventory)).to.deep.equal({
      capacity: { cpu: '4', memory: '8Gi', pods: '110' },
      allocatable: { cpu: '3500m', memory: '7Gi', pods: '108' },
    });
  });

  it('counts extended resources and huge pages like any other', () => {
    const allocatable = { 'nvidia.com/gpu': '8', 'hugepages-2Mi': '1Gi' };
    const inventory = inventoryOf(memberNode('n1', { allocatable }), memberNode('n2'));
    inventory.changePod(undefined, foreignPod('n1', { 'nvidia.com/gpu': '3', 'hugepages-2Mi': '256Mi' }));
    expect(capacityOf(inventory).allocatable).to.deep.include({ 'nvidia.com/gpu': '5', 'hugepages-2Mi': '768Mi' });
  });

  it('is never negative, and never invents a resource', () => {
    const inventory = inventoryOf(memberNode('n1', { allocatable: { cpu: '1', pods: '1' } }));
    inventory.changePod(undefined, foreignPod('n1', { cpu: '3', 'example.com/other': '1' }));
    inventory.changePod(undefined, foreignPod('n1', {}));
    expect(capacityOf(inventory)).to.deep.equal({
      capacity: { cpu: '1', pods: '1' },
      allocatable: { cpu: '0', pods: '0' },
    });
  });

  for (const [name, options] of [
    ['not ready', { ready: 'False' }],
    ['of unknown readiness', { ready: 'Unknown' }],
    ['cordoned', { unschedulable: true }],
    ['being deleted', { deleted: true }],
  ] as const) {
    it(`leaves out a node that is ${name}, with its pods`, () => {
      const inventory = inventoryOf(memberNode('n1'), memberNode('n2', options));
      inventory.changePod(undefined, foreignPod('n2', { cpu: '1' }));
      expect(capacityOf(inventory).allocatable).to.deep.equal({ cpu: '4', memory: '8Gi', pods: '110' });
    });
  }

  it('has no resources at all without a node', () => {
    const inventory = new MemberInventory();
    inventory.changePod(undefined, foreignPod('n1', { cpu: '1' }));
    expect(capacityOf(inventory)).to.deep.equal({ capacity: {}, allocatable: {} });
  });

  describe('behind each kind of virtual node', () => {
    const inventory = inventoryOf(
      memberNode('n3', { labels: { pool: 'gpu' } }),
      memberNode('n1', { labels: { pool: 'gpu' } }),
      memberNode('n2'),
    );
    inventory.changePod(undefined, foreignPod('n1', { cpu: '1' }));
    inventory.changePod(undefined, foreignPod('n2', { cpu: '2' }));

    for (const [mode, names, cpu, pods] of [
      ['all', ['n1', 'n2', 'n3'], '9', '328'],
      ['party', ['n1', 'n3'], '7', '219'],
      ['node', ['n1'], '3', '109'],
    ] as const) {
      it(`finds nodes and pods of mode ${mode}, and none of the others`, () => {
        const spec = virtualNodes[mode];
        expect(inventory.nodesBehind(spec).map((node) => node.metadata.name)).to.deep.equal(names);
        expect(capacityOf(inventory, mode).allocatable).to.deep.include({ cpu, pods });
      });
    }

    it('finds nothing while the node of mode node is missing', () => {
      expect(new MemberInventory().nodesBehind(virtualNodes.node)).to.deep.equal([]);
    });
  });

  describe('changes', () => {
    it('says whether anything changed', () => {
      const inventory = new MemberInventory();
      const small = foreignPod('n1', { cpu: '1' });
      const large = foreignPod('n1', { cpu: '2' });
      expect(inventory.changePod(undefined, undefined)).to.be.false;
      expect(inventory.changePod(undefined, small)).to.be.true;
      expect(inventory.changePod(small, foreignPod('n1', { cpu: '1' }))).to.be.false;
      expect(inventory.changePod(small, large)).to.be.true;
      expect(inventory.changePod(large, undefined)).to.be.true;
      expect(inventory.usage('n1')).to.deep.equal({ requests: NO_RESOURCES, pods: 0 });
    });

    it('moves a pod that comes back under the same name on another node', () => {
      const inventory = inventoryOf(memberNode('n1'), memberNode('n2'));
      const first = foreignPod('n1', { cpu: '1' });
      inventory.changePod(undefined, first);
      inventory.changePod(first, foreignPod('n2', { cpu: '1' }));
      expect(inventory.usage('n1')).to.deep.equal({ requests: NO_RESOURCES, pods: 0 });
      expect(inventory.usage('n2').pods).to.equal(1);
    });

    it('counts pods that were there before their node', () => {
      const inventory = new MemberInventory();
      inventory.changePod(undefined, foreignPod('n1', { cpu: '1' }));
      inventory.setNode(memberNode('n1'));
      expect(capacityOf(inventory).allocatable).to.deep.include({ cpu: '3', pods: '109' });
    });

    it('follows nodes that change and go', () => {
      const inventory = inventoryOf(memberNode('n1'));
      inventory.setNode(memberNode('n1', { allocatable: { cpu: '8' } }));
      expect(capacityOf(inventory).capacity).to.deep.equal({ cpu: '8' });
      expect([...inventory.nodes()]).to.have.lengthOf(1);
      expect(inventory.node('n1')?.ready).to.be.true;
      inventory.deleteNode('n1');
      expect(capacityOf(inventory).capacity).to.deep.equal({});
      expect(inventory.node('n1')).to.be.undefined;
    });
  });

  it('holds after any changes what a fresh count gives', () => {
    const nodeName = fc.constantFrom('n1', 'n2', 'n3');
    const amounts = fc.record({ cpu: fc.nat(3000).map((n) => `${n}m`), memory: fc.nat(9).map((n) => `${n}Gi`) });
    const options = fc.record({
      ready: fc.constantFrom('True', 'False'),
      unschedulable: fc.boolean(),
      labels: fc.constantFrom({}, { pool: 'gpu' }),
    }) as fc.Arbitrary<MemberNodeOptions>;
    const key = fc.constantFrom('a/1', 'a/2', 'a/3', 'a/4', 'a/5');
    const change = fc.oneof(
      fc.record({ kind: fc.constant('setNode' as const), nodeName, options }),
      fc.record({ kind: fc.constant('deleteNode' as const), nodeName }),
      fc.record({ kind: fc.constant('setPod' as const), key, nodeName, amounts }),
      fc.record({ kind: fc.constant('deletePod' as const), key }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const inventory = new MemberInventory();
        const nodes = new Map<string, MemberNode>();
        const pods = new Map<string, ForeignPod>();
        for (const step of changes) {
          switch (step.kind) {
            case 'setNode': {
              const node = memberNode(step.nodeName, step.options);
              inventory.setNode(node);
              nodes.set(step.nodeName, node);
              break;
            }
            case 'deleteNode':
              inventory.deleteNode(step.nodeName);
              nodes.delete(step.nodeName);
              break;
            case 'setPod': {
              const pod = foreignPod(step.nodeName, step.amounts);
              inventory.changePod(pods.get(step.key), pod);
              pods.set(step.key, pod);
              break;
            }
            case 'deletePod':
              inventory.changePod(pods.get(step.key), undefined);
              pods.delete(step.key);
          }
        }
        for (const mode of ['all', 'node', 'party'] as const) {
          expect(capacityOf(inventory, mode)).to.deep.equal(recount(nodes, pods, mode));
        }
      }),
    );
  });
});

function recount(
  nodes: ReadonlyMap<string, MemberNode>,
  pods: ReadonlyMap<string, ForeignPod>,
  mode: keyof typeof virtualNodes,
): { readonly capacity: ResourceList; readonly allocatable: ResourceList } {
  const behind = [...nodes.values()].filter((node) => {
    if (mode === 'node') return node.metadata.name === 'n1';
    return mode === 'all' || node.labels['pool'] === 'gpu';
  });
  const { capacity, allocatable } = virtualCapacity(
    behind.map((node) => {
      const there = [...pods.values()].filter((pod) => pod.nodeName === node.metadata.name);
      const requests = there.reduce((sum, pod) => addResources(sum, pod.requests), NO_RESOURCES);
      return { node, usage: { requests, pods: there.length } };
    }),
  );
  return { capacity: formatResources(capacity), allocatable: formatResources(allocatable) };
}

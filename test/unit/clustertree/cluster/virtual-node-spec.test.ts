import { expect } from 'chai';
import type { LeafModel } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { VirtualNodeSpec } from '../../../../src/clustertree/cluster/virtual-node-spec.js';
import { compileVirtualNodes } from '../../../../src/clustertree/cluster/virtual-node-spec.js';

interface Compiled {
  readonly mode: string;
  readonly virtualNodes: readonly VirtualNodeSpec[];
  readonly problems: readonly string[];
}

function compile(models: readonly LeafModel[] | undefined, clusterName = 'east'): Compiled {
  const problems: string[] = [];
  return { ...compileVirtualNodes(clusterName, models, problems), problems };
}

const PATH = 'spec.clusterTreeOptions.leafModels';
const DEFAULT_TAINT = { key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' };
const party = (leafNodeName: string, labels: Record<string, string> = { pool: 'gpu' }): LeafModel => ({
  leafNodeName,
  nodeSelector: { labelSelector: { matchLabels: labels } },
});
const node = (nodeName: string): LeafModel => ({ leafNodeName: nodeName, nodeSelector: { nodeName } });

describe('compileVirtualNodes', () => {
  describe('mode all', () => {
    for (const [name, models] of [
      ['no leafModels', undefined],
      ['an entry without nodeSelector', [{ leafNodeName: 'any' }]],
      ['an empty nodeSelector', [{ nodeSelector: {} }]],
      ['an empty nodeName', [{ nodeSelector: { nodeName: '' } }]],
    ] as const) {
      it(`is that of ${name}`, () => {
        const { mode, virtualNodes, problems } = compile(models);
        expect(problems).to.be.empty;
        expect(mode).to.equal('all');
        expect(virtualNodes).to.deep.equal([
          { mode: 'all', nodeName: 'kosmos-east', labels: {}, taints: [DEFAULT_TAINT] },
        ]);
      });
    }

    it('takes labels and taints of the entry', () => {
      const [virtual] = compile([
        { labels: { tier: 'gold' }, taints: [{ key: 'a', effect: 'NoExecute' }] },
      ]).virtualNodes;
      expect(virtual?.labels).to.deep.equal({ tier: 'gold' });
      expect(virtual?.taints).to.deep.equal([{ key: 'a', effect: 'NoExecute' }]);
    });

    it('has one virtual node only', () => {
      expect(compile([{}, {}]).problems).to.deep.equal([
        `${PATH}[1]: its virtual node "kosmos-east" is already that of entry 0`,
      ]);
    });
  });

  describe('mode node', () => {
    it('names each virtual node like the node it stands for', () => {
      const { mode, virtualNodes, problems } = compile([node('n1'), { nodeSelector: { nodeName: 'kosmos-n2' } }]);
      expect(problems).to.be.empty;
      expect(mode).to.equal('node');
      expect(virtualNodes.map((virtual) => virtual.nodeName)).to.deep.equal(['n1', 'kosmos-n2']);
      expect(virtualNodes[0]).to.include({ mode: 'node', memberNodeName: 'n1' });
    });

    it('ignores a label selector that is empty', () => {
      const model = { nodeSelector: { nodeName: 'n1', labelSelector: {} } };
      expect(compile([model]).mode).to.equal('node');
    });

    it('refuses what names no node, and one node twice', () => {
      expect(compile([node('n1'), node('N 2'), node('n1')]).problems).to.deep.equal([
        `${PATH}[1].nodeSelector.nodeName: "N 2" is not the name of a node`,
        `${PATH}[2]: its virtual node "n1" is already that of entry 0`,
      ]);
    });
  });

  describe('mode party', () => {
    it('numbers the virtual nodes as Kosmos does', () => {
      const { mode, virtualNodes, problems } = compile([party('gpu'), party('cpu', { pool: 'cpu' })]);
      expect(problems).to.be.empty;
      expect(mode).to.equal('party');
      expect(virtualNodes.map((virtual) => virtual.nodeName)).to.deep.equal(['kosmos-gpu-0', 'kosmos-cpu-1']);
      expect(virtualNodes[1]).to.deep.include({ mode: 'party', selector: { matchLabels: { pool: 'cpu' } } });
    });

    it('takes equal leaf names, because the index tells the nodes apart', () => {
      expect(compile([party('x'), party('x')]).problems).to.be.empty;
    });

    it('wins over a node name', () => {
      const selector = { matchLabels: { pool: 'gpu' } };
      const model = { leafNodeName: 'x', nodeSelector: { nodeName: 'n1', labelSelector: selector } };
      expect(compile([model]).mode).to.equal('party');
    });

    it('selects all nodes by an empty selector that stands alone', () => {
      const { virtualNodes, problems } = compile([{ leafNodeName: 'x', nodeSelector: { labelSelector: {} } }]);
      expect(problems).to.be.empty;
      expect(virtualNodes[0]).to.deep.include({ mode: 'party', nodeName: 'kosmos-x-0', selector: {} });
    });

    it('cuts long names to what a label holds, and to what a name may end in', () => {
      const name = (leafNodeName: string): string | undefined =>
        compile([party(leafNodeName)]).virtualNodes[0]?.nodeName;
      expect(name('a'.repeat(60))).to.equal(`kosmos-${'a'.repeat(56)}`);
      expect(name(`${'a'.repeat(55)}-b`)).to.equal(`kosmos-${'a'.repeat(55)}`);
      expect(name(`${'a'.repeat(54)}.-b`)).to.equal(`kosmos-${'a'.repeat(54)}`);
    });

    it('refuses two names that are the same after the cut', () => {
      const long = 'a'.repeat(60);
      expect(compile([party(`${long}b`), party(`${long}c`)]).problems).to.deep.equal([
        `${PATH}[1]: its virtual node "kosmos-${'a'.repeat(56)}" is already that of entry 0`,
      ]);
    });

    it('needs a usable leaf name', () => {
      expect(compile([party(''), party('A_b')]).problems).to.deep.equal([
        `${PATH}[0].leafNodeName: is needed with a labelSelector`,
        `${PATH}[1].leafNodeName: "kosmos-A_b-1" is not a valid name of a node`,
      ]);
    });

    it('reports a bad selector with its path', () => {
      const nodeSelector = { labelSelector: { matchExpressions: [{ key: 'pool', operator: 'In' }] } };
      expect(compile([{ leafNodeName: 'x', nodeSelector }]).problems).to.deep.equal([
        `${PATH}[0].nodeSelector.labelSelector.matchExpressions[0].values: In needs at least one value`,
      ]);
    });
  });

  it('refuses an empty list', () => {
    expect(compile([])).to.deep.equal({
      mode: 'all',
      virtualNodes: [],
      problems: [`${PATH}: is empty; leave it out for one virtual node that stands for the whole member`],
    });
  });

  it('refuses mixed modes, against that of the first entry', () => {
    expect(compile([party('gpu'), node('n1'), {}]).problems).to.deep.equal([
      `${PATH}[1].nodeSelector: mode node can't be mixed with party`,
      `${PATH}[2].nodeSelector: mode all can't be mixed with party`,
    ]);
  });

  describe('labels', () => {
    it('refuses bad ones and those that make a virtual node what it is', () => {
      const labels = {
        'a b': 'x',
        good: 'a/b',
        'kosmos.io/node': 'false',
        'kosmos.io/cluster': 'west',
        'kubernetes.io/hostname': 'other',
        'node.kubernetes.io/exclude-from-external-load-balancers': 'false',
      };
      expect(compile([{ labels }]).problems).to.deep.equal([
        `${PATH}[0].labels: "a b" is not a label key`,
        `${PATH}[0].labels[good]: "a/b" is not a label value`,
        `${PATH}[0].labels[kosmos.io/node]: is set by Kosmos`,
        `${PATH}[0].labels[kosmos.io/cluster]: is set by Kosmos`,
        `${PATH}[0].labels[kubernetes.io/hostname]: is set by Kosmos`,
        `${PATH}[0].labels[node.kubernetes.io/exclude-from-external-load-balancers]: is set by Kosmos`,
      ]);
    });

    it('accepts labels that say what is true anyway', () => {
      const labels = { 'kosmos.io/node': 'true', 'kosmos.io/cluster': 'east', 'kubernetes.io/hostname': 'n1' };
      expect(compile([{ ...node('n1'), labels }]).problems).to.be.empty;
    });
  });

  describe('taints', () => {
    it('has none when the list is empty', () => {
      expect(compile([{ taints: [] }]).virtualNodes[0]?.taints).to.deep.equal([]);
    });

    it('keeps what identifies a taint and drops the rest', () => {
      const taints = [
        { key: 'a', value: '', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' },
        { key: 'a', value: 'v', effect: 'NoExecute' },
      ];
      expect(compile([{ taints }]).virtualNodes[0]?.taints).to.deep.equal([
        { key: 'a', effect: 'NoSchedule' },
        { key: 'a', value: 'v', effect: 'NoExecute' },
      ]);
    });

    it('reports bad ones and doubles', () => {
      const taints = [
        { key: '', value: '!', effect: '' },
        { key: 'a', effect: 'NoSchedule' },
        { key: 'a', value: 'other', effect: 'NoSchedule' },
      ];
      expect(compile([{ taints }]).problems).to.deep.equal([
        `${PATH}[0].taints[0].key: "" is not the key of a taint`,
        `${PATH}[0].taints[0].value: "!" is not the value of a taint`,
        `${PATH}[0].taints[0].effect: "" is none of NoSchedule, PreferNoSchedule, NoExecute`,
        `${PATH}[0].taints[2]: a:NoSchedule is there twice`,
      ]);
    });
  });
});

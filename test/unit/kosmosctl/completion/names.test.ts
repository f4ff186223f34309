import { expect } from 'chai';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { nodes } from '../../../../src/kube/resource.js';
import { CliFederation, clusterOf, virtualNode } from '../../../support/cli-federation.js';

describe('completion of names', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
    for (const name of ['east', 'west', 'west-2']) federation.host.seed(clusters, clusterOf(name));
    federation.host.seed(nodes, virtualNode('kosmos-east', 'east'));
    federation.host.seed(nodes, { metadata: { name: 'node-of-the-host' } });
    federation.member.seed(clusters, clusterOf('of-the-member'));
  });

  afterEach(() => federation.close());

  async function complete(line: string): Promise<readonly string[]> {
    const words = line.split(' ');
    const { out, err, code } = await federation.run(`__complete ${words.length} ${line}`, {
      files: { '/other.yaml': federation.hostServer.kubeconfig() },
    });
    expect([code, err]).to.deep.equal([0, '']);
    return out.split('\n').filter((word) => word !== '');
  }

  const table: readonly (readonly [line: string, words: readonly string[]])[] = [
    ['unjoin cluster ', ['east', 'west', 'west-2']],
    ['unjoin cluster we', ['west', 'west-2']],
    ['unjoin cluster nothing', []],
    ['describe cluster e', ['east']],
    ['get clusters w', ['west', 'west-2']],
    ['get cluster w', ['west', 'west-2']],
    ['get nodes ', ['kosmos-east']],
    ['get nodes --cluster we', ['west', 'west-2']],
    ['get nodes --kubeconfig /other.yaml --cluster e', ['east']],
    ['get clusters east ', []],
    ['explain pod ', []],
    ['get clusters --kubeconfig /member.yaml ', ['of-the-member']],
    ['unjoin cluster --kubeconfig /member.yaml e', ['east']],
    ['unjoin cluster --host-kubeconfig /other.yaml e', ['east']],
    ['-v unjoin cluster --kubeconfig /member.yaml e', ['east']],
    ['join cluster --kubeconfig /member.yaml e', ['east']],
  ];
  for (const [line, words] of table) {
    it(`of "${line}" is ${words.join(' ') || 'nothing'}`, async () => {
      expect(await complete(line)).to.deep.equal(words);
    });
  }

  it('asks the cluster that --kubeconfig= names, written with its value or apart from it by the shell', async () => {
    expect(await complete('get clusters --kubeconfig=/member.yaml ')).to.deep.equal(['of-the-member']);
    expect(await complete('get clusters --kubeconfig = /member.yaml ')).to.deep.equal(['of-the-member']);
  });

  it('is nothing, without a word, when nobody may list them', async () => {
    federation.host.intercept = () => {
      throw new Error('not to be seen');
    };
    const files = { '/host.yaml': 'clusters: [' };
    const { code, out, err } = await federation.run('__complete 3 unjoin cluster ', { files });
    expect([code, out, err]).to.deep.equal([0, '', '']);
  });
});

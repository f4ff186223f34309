import { expect } from 'chai';
import { runInProcess } from '../../../support/cli-harness.js';

async function complete(line: string): Promise<readonly string[]> {
  const words = line.split(' ');
  const { out, code } = await runInProcess(['__complete', String(words.length), ...words]);
  expect(code).to.equal(0);
  return out.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  const table: readonly (readonly [line: string, words: readonly string[]])[] = [
    ['un', ['uninstall', 'unjoin']],
    ['join ', ['cluster']],
    ['get ', ['clusternodes', 'clusters', 'nodeconfigs', 'nodes']],
    ['get clusters -o ', ['json', 'name', 'wide', 'yaml']],
    ['get clusters --output y', ['yaml']],
    ['get clusters --kubeconfig ', [':file']],
    ['image push ', [':file']],
    ['image push --artifact ', [':file']],
    ['install -f ', [':file']],
    ['install --rep', ['--replicas']],
    ['join cluster --leaf-model ', ['one-to-cluster', 'one-to-one']],
    ['join cluster m --host-', ['--host-api-server', '--host-context', '--host-kubeconfig']],
    ['completion ', ['bash', 'zsh']],
    ['join cluster --namespace ', []],
    ['join cluster --leaf-model =', ['one-to-cluster', 'one-to-one']],
    ['join cluster --leaf-model = one-to-o', ['one-to-one']],
    ['get clusters --output = y', ['yaml']],
    ['get clusters --kubeconfig = /x --out', ['--output']],
    ['-v get c', ['clusternodes', 'clusters']],
    ['get nodes --cluster m --o', ['--output']],
    ['install --set a=b --repl', ['--replicas']],
    ['nothing-known ', []],
    ['get nothing-known ', []],
    ['completion z', ['zsh']],
    [
      'uninstall --',
      ['--all', '--context', '--force', '--help', '--kubeconfig', '--namespace', '--verify', '--wait-time'],
    ],
  ];
  for (const [line, words] of table) {
    it(`of "${line}" is ${words.join(' ') || 'nothing'}`, async () => {
      expect(await complete(line)).to.deep.equal(words);
    });
  }

  it('says nothing when the cluster that it needs can not be asked', async () => {
    expect(await complete('unjoin cluster ')).to.deep.equal([]);
  });

  it('does not show its own command', async () => {
    expect(await complete('_')).to.deep.equal([]);
    expect((await runInProcess(['--help'])).out).not.to.contain('__complete');
  });
});

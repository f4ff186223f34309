import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { REPOSITORY } from '../../../hack/lab/paths.js';

/** Prints at the end which files and which parts of Node itself a process has loaded. */
const TELL = `import module from 'node:module';
process.on('exit', () => {
  process.stderr.write(JSON.stringify([...Object.keys(module._cache), ...process.moduleLoadList]));
});`;

/** What costs a tenth of a second and some megabytes, and is not needed to start. */
const HEAVY = {
  'all of undici': /node_modules\/undici\/index\.js$/,
  "Node's own fetch and WebSocket": /NativeModule internal\/deps\/undici/,
  'the ciphers of node-forge': /node_modules\/node-forge\/lib\/(?:tls|pki|rsa|index)\.js$/,
  'the client of OpenID Connect': /node_modules\/@kubernetes\/client-node/,
  'the compiler of foreign functions': /node_modules\/koffi/,
};

async function loadedBy(program: string): Promise<readonly string[]> {
  const hook = `data:text/javascript,${encodeURIComponent(TELL)}`;
  const file = join(REPOSITORY, `dist/src/bin/${program}.js`);
  const { stderr } = await promisify(execFile)(process.execPath, ['--import', hook, file, '--help']);
  return JSON.parse(stderr) as readonly string[];
}

describe('what programs load when they start', () => {
  it('is seen by this test', async () => {
    const loaded = await loadedBy('manager');
    expect(loaded.some((name) => name.endsWith('/node_modules/undici/lib/dispatcher/client.js'))).to.equal(true);
    expect(loaded).to.include('NativeModule net');
  });

  for (const program of ['manager', 'agent', 'kosmosctl']) {
    it(`is not what only a few of their commands need: ${program}`, async () => {
      const loaded = await loadedBy(program);
      const heavy = Object.entries(HEAVY).filter(([, pattern]) => loaded.some((name) => pattern.test(name)));
      expect(heavy.map(([what]) => what)).to.deep.equal([]);
    });
  }
});

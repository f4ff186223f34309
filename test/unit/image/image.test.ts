import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { archiveFiles, imageConfig } from '../../../hack/image/oci.js';
import { digestOf } from '../../../src/kosmosctl/image/digest.js';
import { isNeededAtRunTime, productionPackages } from '../../../hack/image/packages.js';
import { renderSbom } from '../../../hack/image/sbom.js';

const LAYER = { what: 'a layer', tarDigest: digestOf('tar'), compressed: Buffer.from('gz') };
const OPTIONS = { name: 'r.example/kosmos:1', version: '1', architecture: 'amd64', layers: [LAYER] };

describe('the image', () => {
  it('runs the manager as nobody special', () => {
    expect(imageConfig(OPTIONS)).to.deep.include({ os: 'linux', architecture: 'amd64' });
    const { config } = imageConfig(OPTIONS) as { config: { User: string; Entrypoint: string[]; Cmd: string[] } };
    expect(config.User).to.equal('65532:65532');
    expect([...config.Entrypoint, ...config.Cmd].join(' ')).to.equal(
      '/usr/local/bin/node --max-semi-space-size=8 --heap-growing-percent=30 /opt/kosmos/dist/src/bin/manager.js',
    );
  });

  it('is an OCI layout and a docker archive of the same blobs', () => {
    const files = archiveFiles(OPTIONS);
    const json = (path: string): never => JSON.parse(files.get(path)?.toString() ?? '') as never;
    const index = json('index.json') as { manifests: { digest: string; annotations: Record<string, string> }[] };
    const blob = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
    const manifest = json(blob(index.manifests[0]!.digest)) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    const [docker] = json('manifest.json') as [{ Config: string; RepoTags: string[]; Layers: string[] }];
    expect(docker).to.deep.equal({
      Config: blob(manifest.config.digest),
      RepoTags: ['r.example/kosmos:1'],
      Layers: manifest.layers.map(({ digest }) => blob(digest)),
    });
    expect(index.manifests[0]!.annotations['io.containerd.image.name']).to.equal('r.example/kosmos:1');
    for (const [path, content] of files) {
      if (path.startsWith('blobs/')) expect(blob(digestOf(content))).to.equal(path);
    }
  });

  it('has no time in it', () => {
    expect(JSON.stringify(imageConfig(OPTIONS))).not.to.match(/20\d\d-/);
  });
});

describe('productionPackages', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/b': { version: '2' },
      'node_modules/a': { version: '1', license: 'MIT', integrity: 'sha512-YQ==' },
      'node_modules/a/node_modules/@x/c': { version: '3' },
      'node_modules/dev': { version: '1', dev: true },
      'node_modules/maybe': { version: '1', optional: true },
      'node_modules/@types/node': { version: '1' },
      'node_modules/koffi': {
        version: '1',
        optionalDependencies: { 'koffi-x64': '1', 'koffi-arm64': '1', 'koffi-mac': '1' },
      },
      'node_modules/koffi-x64': { version: '1', optional: true, os: ['linux'], cpu: ['x64'] },
      'node_modules/koffi-arm64': { version: '1', optional: true, os: ['linux'], cpu: ['arm64'] },
      'node_modules/koffi-mac': { version: '1', optional: true, os: ['darwin'], cpu: ['x64'] },
    },
  };
  const x64 = { cpu: 'x64' };

  it('are those that are needed at run time, in order', () => {
    expect(productionPackages(lock, x64).map(({ name, path }) => [name, path])).to.deep.equal([
      ['a', 'node_modules/a'],
      ['@x/c', 'node_modules/a/node_modules/@x/c'],
      ['b', 'node_modules/b'],
      ['koffi', 'node_modules/koffi'],
      ['koffi-x64', 'node_modules/koffi-x64'],
    ]);
  });

  it('bring the binary for the processor of the image', () => {
    const names = productionPackages(lock, { cpu: 'arm64' }).map(({ name }) => name);
    expect(names).to.include('koffi-arm64').and.not.include.members(['koffi-x64']);
  });

  it('are all that package.json names', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
    const all = JSON.parse(readFileSync('package-lock.json', 'utf8')) as typeof lock;
    const names = productionPackages(all, x64).map(({ name }) => name);
    expect(names).to.include.members([...Object.keys(dependencies), '@koromix/koffi-linux-x64']);
  });

  for (const [path, needed] of [
    ['node_modules/a/index.js', true],
    ['node_modules/a/package.json', true],
    ['node_modules/a/LICENSE', true],
    ['node_modules/a/index.d.ts', false],
    ['node_modules/a/index.d.mts', false],
    ['node_modules/a/src.ts', false],
    ['node_modules/a/index.js.map', false],
    ['node_modules/a/README.md', false],
    ['node_modules/koffi/src/koffi/src/static.js', true],
    ['node_modules/koffi/src/koffi/src/ffi.cc', false],
    ['node_modules/koffi/vendor', false],
    ['node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node', true],
    ['node_modules/@koromix/koffi-linux-x64/musl_x64', false],
  ] as const) {
    it(`${needed ? 'keep' : 'leave out'} ${path}`, () => {
      expect(isNeededAtRunTime(path)).to.equal(needed);
    });
  }
});

describe('renderSbom', () => {
  const input = {
    version: '1',
    nodeVersion: '24.0.0',
    systemPackages: [{ name: 'libc6', version: '2.36-9+deb12u1' }],
    packages: [{ path: '', name: '@x/c', version: '3', license: 'MIT', integrity: 'sha512-YQ==' }],
  };

  it('lists Node, libraries and packages with where they come from', () => {
    const { components } = JSON.parse(renderSbom(input)) as { components: { purl: string; hashes?: unknown }[] };
    expect(components.map(({ purl }) => purl)).to.deep.equal([
      'pkg:generic/node@24.0.0',
      'pkg:deb/debian/libc6@2.36-9%2Bdeb12u1',
      'pkg:npm/%40x/c@3',
    ]);
    expect(components[2]?.hashes).to.deep.equal([{ alg: 'SHA-512', content: '61' }]);
  });

  it('is the same each time, and another for other contents', () => {
    expect(renderSbom(input)).to.equal(renderSbom(input));
    const serial = (text: string): string => (JSON.parse(text) as { serialNumber: string }).serialNumber;
    expect(serial(renderSbom(input))).not.to.equal(serial(renderSbom({ ...input, nodeVersion: '25.0.0' })));
  });
});

import { cp, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { REPOSITORY } from '../lab/paths.js';
import { run } from '../lab/run.js';
import { IMAGE_LAYOUT, IMAGE_USER } from './oci.js';
import { isNeededAtRunTime, productionPackages, type PackageLock } from './packages.js';
import { renderSbom, type SystemPackage } from './sbom.js';

/** What is put into a layer. */
export interface LayerRecipe {
  readonly what: string;
  /** Fills the layer's root folder. */
  readonly fill: (root: string) => Promise<void>;
}

export interface Recipes {
  readonly layers: readonly LayerRecipe[];
  readonly sbom: string;
}

/** The layers, the one that changes least first. */
export async function imageRecipes(version: string): Promise<Recipes> {
  const node = await realpath(process.execPath);
  const libraries = await sharedLibraries(node);
  const lock = JSON.parse(await readFile(join(REPOSITORY, 'package-lock.json'), 'utf8')) as PackageLock;
  const packages = productionPackages(lock);
  const sbom = renderSbom({
    ...{ version, packages, nodeVersion: process.versions.node },
    systemPackages: await systemPackages(libraries),
  });
  return {
    sbom,
    layers: [
      { what: 'Node and the libraries that it needs', fill: (root) => fillRuntime(root, node, libraries) },
      {
        what: 'npm packages',
        fill: async (root) => {
          for (const { path } of packages) await copyPackage(root, path);
        },
      },
      { what: 'Kosmos', fill: (root) => fillApplication(root, sbom) },
    ],
  };
}

/** Files that a program loads with it, its loader among them. */
async function sharedLibraries(program: string): Promise<readonly string[]> {
  const { stdout } = await run('ldd', [program]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '').sort();
}

async function systemPackages(files: readonly string[]): Promise<readonly SystemPackage[]> {
  const found = new Map<string, string>();
  for (const file of files) {
    const { code, stdout } = await run('dpkg', ['-S', await realpath(file)], { allowFailure: true });
    const owner = stdout.split(': ')[0];
    if (code !== 0 || owner === undefined) continue;
    const format = ['-W', '-f', '${Package} ${Version}', owner];
    const [name = '', version = ''] = (await run('dpkg-query', format)).stdout.split(' ');
    found.set(name, version);
  }
  return [...found].map(([name, version]) => ({ name, version })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function fillRuntime(root: string, node: string, libraries: readonly string[]): Promise<void> {
  await copyTo(join(root, IMAGE_LAYOUT.node), node);
  for (const library of libraries) await copyTo(join(root, library), await realpath(library));
  await mkdir(join(root, 'etc'));
  await mkdir(join(root, 'tmp'));
  const user = `kosmos:x:${IMAGE_USER}:${IMAGE_USER}:kosmos:${IMAGE_LAYOUT.application}:/nonexistent\n`;
  await writeFile(join(root, 'etc/passwd'), `root:x:0:0:root:/:/nonexistent\n${user}`);
  await writeFile(join(root, 'etc/group'), `root:x:0:\nkosmos:x:${IMAGE_USER}:\n`);
  // Without it the resolver of the C library asks DNS before /etc/hosts.
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

/** Packages inside of a package are entries of their own in the lock file. */
async function copyPackage(root: string, path: string): Promise<void> {
  const source = join(REPOSITORY, path);
  const nested = join(source, 'node_modules');
  await cp(source, join(root, IMAGE_LAYOUT.application, path), {
    recursive: true,
    filter: (from) => from !== nested && isNeededAtRunTime(relative(REPOSITORY, from)),
  });
}

async function fillApplication(root: string, sbom: string): Promise<void> {
  const target = join(root, IMAGE_LAYOUT.application);
  await cp(join(REPOSITORY, 'dist/src'), join(target, 'dist/src'), { recursive: true });
  await cp(join(REPOSITORY, 'crds'), join(target, 'crds'), { recursive: true });
  for (const file of ['package.json', 'LICENSE']) await copyTo(join(target, file), join(REPOSITORY, file));
  await writeFile(join(target, 'sbom.cdx.json'), sbom);
}

async function copyTo(target: string, source: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await cp(source, target, { dereference: true });
}

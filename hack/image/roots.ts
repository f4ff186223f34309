import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, relative } from 'node:path';
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
  const nft = await findNft();
  const libraries = await sharedLibraries(node);
  const librariesOfNft = (await sharedLibraries(nft)).filter((library) => !libraries.includes(library));
  const lock = JSON.parse(await readFile(join(REPOSITORY, 'package-lock.json'), 'utf8')) as PackageLock;
  const packages = productionPackages(lock, { cpu: process.arch });
  const sbom = renderSbom({
    ...{ version, packages, nodeVersion: process.versions.node },
    systemPackages: await systemPackages([...libraries, nft, ...librariesOfNft]),
  });
  return {
    sbom,
    layers: [
      { what: 'Node and the libraries that it needs', fill: (root) => fillRuntime(root, node, libraries) },
      {
        what: 'nft and the libraries that it needs',
        fill: async (root) => {
          await copyTo(join(root, IMAGE_LAYOUT.nft), nft);
          await copyLibraries(root, librariesOfNft);
        },
      },
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

/** The agent's way to nftables. */
async function findNft(): Promise<string> {
  const folders = ['/usr/sbin', '/sbin', ...(process.env['PATH'] ?? '').split(delimiter)];
  const found = folders.map((folder) => join(folder, 'nft')).find((path) => existsSync(path));
  if (found === undefined) throw new Error('there is no program nft for the image; install the package nftables');
  return realpath(found);
}

/** Files that a program loads with it, its loader among them. */
async function sharedLibraries(program: string): Promise<readonly string[]> {
  const { stdout } = await run('ldd', [program]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '').sort();
}

async function systemPackages(files: readonly string[]): Promise<readonly SystemPackage[]> {
  const real = await Promise.all(files.map((file) => realpath(file)));
  // Where /lib is a link to /usr/lib, packages still say either.
  const names = real.flatMap((file) => [file, file.replace(/^\/usr\//, '/')]);
  // Fails when one of them is of no package, and lists the others all the same.
  const { stdout } = await run('dpkg', ['-S', ...names], { allowFailure: true });
  const owners = [...stdout.matchAll(/^(\S+): \//gm)].map((match) => match[1] ?? '');
  if (owners.length === 0) return [];
  const format = ['-W', '-f', '${Package} ${Version}\\n', ...new Set(owners)];
  const lines = (await run('dpkg-query', format)).stdout.trim().split('\n');
  return lines
    .map((line) => line.split(' '))
    .map(([name = '', version = '']) => ({ name, version }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function fillRuntime(root: string, node: string, libraries: readonly string[]): Promise<void> {
  await copyTo(join(root, IMAGE_LAYOUT.node), node);
  await copyLibraries(root, libraries);
  await mkdir(join(root, 'etc'));
  await mkdir(join(root, 'tmp'));
  const user = `kosmos:x:${IMAGE_USER}:${IMAGE_USER}:kosmos:${IMAGE_LAYOUT.application}:/nonexistent\n`;
  await writeFile(join(root, 'etc/passwd'), `root:x:0:0:root:/:/nonexistent\n${user}`);
  await writeFile(join(root, 'etc/group'), `root:x:0:\nkosmos:x:${IMAGE_USER}:\n`);
  // Without it the resolver of the C library asks DNS before /etc/hosts.
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

async function copyLibraries(root: string, libraries: readonly string[]): Promise<void> {
  for (const library of libraries) await copyTo(join(root, library), await realpath(library));
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

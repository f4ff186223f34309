import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { goArch } from '../lab/go-toolchain.js';
import { REPOSITORY } from '../lab/paths.js';
import { run } from '../lab/run.js';
import { archiveFiles, type Layer } from './oci.js';
import { imageRecipes, type LayerRecipe } from './roots.js';

const TAR_LIMIT_MS = 5 * 60_000;

export interface BuildOptions {
  /** `registry/repository:tag`; the version of package.json as the tag when absent. */
  readonly name?: string;
  /** The archive; the list of what is in it is written beside it. */
  readonly output?: string;
}

export interface BuiltImage {
  readonly name: string;
  readonly archive: string;
  readonly sbom: string;
  /** Of the image's manifest: what `docker pull name@digest` would name. */
  readonly digest: string;
  readonly bytes: number;
}

/** The name that manifests refer to unless told otherwise. */
export async function defaultImageName(): Promise<string> {
  return `kosmos.local/kosmos:${await version()}`;
}

/** Builds the image from what is compiled in `dist` and installed in `node_modules`. */
export async function buildImage(options: BuildOptions = {}): Promise<BuiltImage> {
  const name = options.name ?? (await defaultImageName());
  const archive = resolve(options.output ?? join(REPOSITORY, 'dist/image', `kosmos-${await version()}.tar`));
  await mkdir(dirname(archive), { recursive: true });
  const work = await mkdtemp(join(tmpdir(), 'kosmos-image-'));
  try {
    const recipes = await imageRecipes(await version());
    const layers: Layer[] = [];
    for (const [index, recipe] of recipes.layers.entries()) {
      layers.push(await buildLayer(join(work, `${index}`), recipe));
    }
    const files = archiveFiles({ name, version: await version(), architecture: goArch(), layers });
    await writeArchive(join(work, 'archive'), files, archive);
    const sbom = archive.replace(/(\.tar)?$/, '.cdx.json');
    await writeFile(sbom, recipes.sbom);
    const index = JSON.parse(files.get('index.json')?.toString() ?? '') as { manifests: { digest: string }[] };
    return { name, archive, sbom, digest: index.manifests[0]?.digest ?? '', bytes: (await stat(archive)).size };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function version(): Promise<string> {
  return (JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string }).version;
}

async function buildLayer(folder: string, { what, fill }: LayerRecipe): Promise<Layer> {
  const root = join(folder, 'root');
  await mkdir(root, { recursive: true });
  await fill(root);
  const tarFile = join(folder, 'layer.tar');
  await tar(tarFile, root);
  await pipeline(createReadStream(tarFile), createGzip({ level: 6 }), createWriteStream(`${tarFile}.gz`));
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(tarFile)) hash.update(chunk as Buffer);
  return { what, tarDigest: `sha256:${hash.digest('hex')}`, compressed: await readFile(`${tarFile}.gz`) };
}

/** Two builds at the same time don't disturb each other. */
async function writeArchive(folder: string, files: ReadonlyMap<string, Buffer>, target: string): Promise<void> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  const partial = `${target}.${process.pid}.partial`;
  await tar(partial, folder);
  await rename(partial, target);
}

/** The same folder always gives the same bytes, whoever owns it and whenever it was written. */
async function tar(target: string, folder: string): Promise<void> {
  const reproducible = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--mode=u=rwX,go=rX'];
  await run('tar', [...reproducible, '--format=gnu', '-cf', target, '-C', folder, '.'], { timeoutMs: TAR_LIMIT_MS });
}

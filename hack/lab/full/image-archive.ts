import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goArch } from '../go-toolchain.js';
import { withFileLock } from '../lock.js';
import { cacheDirectory } from '../paths.js';
import { run } from '../run.js';

const BUILD_LIMIT_MS = 5 * 60_000;

/** An image with a single layer, made on this machine. */
export interface ImageRecipe {
  /** All that it is known by, with tags. */
  readonly names: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** Fills the image's root folder. */
  readonly fill: (root: string) => Promise<void>;
}

/** What an archive is made of, and what its contents depend on. */
export interface ArchiveRequest {
  readonly recipes: readonly ImageRecipe[];
  /** Changes when anything in the images does. */
  readonly key: string;
  readonly log: (line: string) => void;
}

/** The configuration of an image with a single layer. */
export function imageConfig(recipe: Pick<ImageRecipe, 'entrypoint' | 'command'>, layerDigest: string): unknown {
  return {
    architecture: goArch(),
    os: 'linux',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...(recipe.entrypoint === undefined ? {} : { Entrypoint: recipe.entrypoint }),
      ...(recipe.command === undefined ? {} : { Cmd: recipe.command }),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'kosmos lab' }],
  };
}

const digestOf = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

async function tar(target: string, folder: string): Promise<void> {
  const reproducible = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  await run('tar', [...reproducible, '-cf', target, '-C', folder, '.'], { timeoutMs: BUILD_LIMIT_MS });
}

/** Builds one docker archive (configurations, layers, manifest.json) with all images. */
async function buildArchive(target: string, recipes: readonly ImageRecipe[]): Promise<void> {
  const work = await mkdtemp(`${target}.work-`);
  const archive = join(work, 'archive');
  await mkdir(archive);
  const manifest: unknown[] = [];
  for (const [index, recipe] of recipes.entries()) {
    const root = join(work, `root-${index}`);
    await mkdir(root);
    await recipe.fill(root);
    await tar(join(archive, `layer-${index}.tar`), root);
    const layer = await readFile(join(archive, `layer-${index}.tar`));
    const config = JSON.stringify(imageConfig(recipe, digestOf(layer)));
    const configName = `${digestOf(config)}.json`;
    await writeFile(join(archive, configName), config);
    manifest.push({ Config: configName, RepoTags: recipe.names, Layers: [`layer-${index}.tar`] });
  }
  await writeFile(join(archive, 'manifest.json'), JSON.stringify(manifest));
  await tar(join(work, 'images.tar'), archive);
  await rename(join(work, 'images.tar'), target);
  await rm(work, { recursive: true, force: true });
}

/** Path of the archive with all these images, built when it isn't in the cache. Safe to call from several processes. */
export async function ensureArchive({ recipes, key, log }: ArchiveRequest): Promise<string> {
  const target = join(cacheDirectory(), 'images', `${digestOf(key).slice(0, 16)}.tar`);
  if (existsSync(target)) return target;
  await withFileLock(`${target}.lock`, BUILD_LIMIT_MS, async () => {
    if (existsSync(target)) return;
    log(`making the images ${recipes.flatMap(({ names }) => names).join(', ')} (only the first time)`);
    await buildArchive(target, recipes);
  });
  return target;
}

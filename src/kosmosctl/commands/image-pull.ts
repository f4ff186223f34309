import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { CliContext } from '../context.js';
import { CliError } from '../failure.js';
import { readRegistryAccess, type AccessFlags } from '../image/access.js';
import { ArchiveWriter, type ArchivePart } from '../image/archive-writer.js';
import { blobPath, LAYOUT_FILE, layoutFiles } from '../image/layout.js';
import { blobsOf, parseManifest, parseObject, type ImageManifest, type Platform } from '../image/manifest.js';
import { choosePlatform, renderPlatform } from '../image/platform.js';
import { mebibytes, progressOf } from '../image/progress.js';
import { isDigest, renderReference, type ImageReference } from '../image/reference.js';
import { Repository, scopeOf, type StoredManifest } from '../image/registry.js';
import { digestOf } from '../image/digest.js';
import { runSteps } from '../output/steps.js';

export interface PullOptions {
  readonly image: ImageReference;
  /** The archive, or a folder for it; the current one when undefined. */
  readonly output: string | undefined;
  readonly platform: Platform;
  /** Whoever asks has named the platform, so that an image for another one is of no use. */
  readonly isPlatformNamed: boolean;
  readonly access: AccessFlags;
}

/** What is fetched. */
interface Found {
  readonly manifest: StoredManifest;
  readonly image: ImageManifest;
}

const SHORT_DIGEST = 12;

/** Fetches an image from a registry into an archive that nodes, engines and `image push` take. */
export async function pullImage(options: PullOptions, context: CliContext): Promise<void> {
  const { image: name, access } = options;
  const { terminal, signal } = context;
  const scopes = [scopeOf(name, 'pull')];
  const repository = new Repository(name.repository, {
    ...(await readRegistryAccess(name.registry, access, context)),
    scopes,
  });
  const path = archivePath(options);
  let found: Found | undefined;
  try {
    await runSteps(context, [
      {
        title: `Look at ${renderReference(name)}`,
        run: async () => {
          found = await findImage(repository, options);
          const { image } = found;
          const platform = await platformIn(repository, image);
          if (options.isPlatformNamed) {
            choosePlatform([{ ...image.config, platform }], options.platform, renderReference(name));
          }
          return describe(renderPlatform(platform), image);
        },
      },
      {
        title: `Fetch it into ${path}`,
        run: async (report) => {
          if (found === undefined) return undefined;
          const parts = partsOf(found, withTag(name, found.manifest.digest), repository);
          const total = parts.reduce((sum, { size }) => sum + size, 0);
          await new ArchiveWriter(path, signal).write(parts, progressOf(total, report));
          return mebibytes(total);
        },
      },
    ]);
  } finally {
    await repository.close();
  }
  terminal.out(`${renderReference(name)}${isDigest(name.reference) ? '' : `@${found?.manifest.digest ?? ''}`}\n`);
  terminal.err(`\nPush it to another registry with:\n  kosmosctl image push ${path} --to REGISTRY/REPOSITORY:TAG\n`);
}

/** A folder gets a file that is called as the image is. */
function archivePath({ image, output = '.' }: PullOptions): string {
  const isFolder = statSync(output, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder) return output;
  const { repository, reference } = withTag(image, image.reference);
  return join(output, `${repository.slice(repository.lastIndexOf('/') + 1)}-${reference}.tar`);
}

/** An archive calls an image by a tag; one that was asked for by its digest gets the start of that. */
function withTag(image: ImageReference, digest: string): ImageReference {
  if (!isDigest(image.reference)) return image;
  return { ...image, reference: digest.replace('sha256:', '').slice(0, SHORT_DIGEST) };
}

async function findImage(repository: Repository, { image: name, platform }: PullOptions): Promise<Found> {
  const what = renderReference(name);
  const manifest = await repository.manifest(name.reference);
  const document = parseManifest(manifest.content, what, manifest.mediaType);
  if (document.kind === 'image') {
    return { manifest: { ...manifest, mediaType: document.mediaType }, image: document.image };
  }
  const chosen = choosePlatform(document.manifests, platform, what);
  const inner = await repository.manifest(chosen.digest);
  const innerDocument = parseManifest(inner.content, `${what} for ${renderPlatform(platform)}`, inner.mediaType);
  if (innerDocument.kind !== 'image') throw new CliError(`${what} has one index in another, and no image`);
  return { manifest: { ...inner, mediaType: innerDocument.mediaType }, image: innerDocument.image };
}

/** What the image itself says that it runs on. */
async function platformIn(repository: Repository, { config }: ImageManifest): Promise<Platform> {
  const chunks: Buffer[] = [];
  for await (const chunk of repository.blob(config)) chunks.push(chunk);
  const what = `the configuration ${config.digest}`;
  const {
    os = 'unnamed',
    architecture = 'unnamed',
    variant,
  } = parseObject(Buffer.concat(chunks), what) as Partial<Platform>;
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

function describe(platform: string, image: ImageManifest): string {
  const size = blobsOf(image).reduce((sum, blob) => sum + blob.size, 0);
  return `${platform}, ${image.layers.length} layers, ${mebibytes(size)}`;
}

/** Large things first: after an interruption the next one goes on behind those that are there. */
function partsOf({ manifest, image }: Found, name: ImageReference, repository: Repository): readonly ArchivePart[] {
  const { digest, content, mediaType = '' } = manifest;
  const files = layoutFiles(renderReference(name), { digest, size: content.length, mediaType }, image);
  const small = [...files].filter(([path]) => path !== LAYOUT_FILE);
  return [
    ...[...files].filter(([path]) => path === LAYOUT_FILE).map(partOf),
    ...blobsOf(image).map((blob) => ({
      ...{ name: blobPath(blob.digest), size: blob.size, digest: blob.digest },
      content: () => repository.blob(blob),
    })),
    ...([[blobPath(digest), content], ...small] as const).map(partOf),
  ];
}

function partOf([name, content]: readonly [string, Buffer]): ArchivePart {
  return { name, size: content.length, digest: digestOf(content), content: () => onlyChunk(content) };
}

async function* onlyChunk(content: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield await Promise.resolve(content);
}

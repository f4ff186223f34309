import { CliError } from '../failure.js';
import { indexArchive, readEntry, type ArchiveEntry } from './archive-reader.js';
import { blobPath, INDEX_FILE, nameOf } from './layout.js';
import { blobsOf, parseManifest, type Descriptor, type ManifestDocument, type Platform } from './manifest.js';
import { choosePlatform } from './platform.js';
import { parseReference, type ImageReference } from './reference.js';
import type { StoredManifest } from './registry.js';

/** The image in an archive. */
export interface ArchiveImage {
  /** What the archive calls it; undefined when it gives it no whole name. */
  readonly name: ImageReference | undefined;
  readonly manifest: StoredManifest;
  /** Everything else that it is made of, with where it is. */
  readonly blobs: readonly (Descriptor & { readonly entry: ArchiveEntry })[];
}

/** An index may refer to one, as docker writes it; nobody nests them deeper. */
const DEEPEST = 3;

/**
 * Reads which image is in an archive, and that all of it is there as it should be.
 *
 * @param platform - which to take, where there are several
 * @throws CliError
 */
export async function readArchiveImage(path: string, platform: Platform, signal: AbortSignal): Promise<ArchiveImage> {
  const { entries, isWhole } = await indexed(path, signal);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const index = byName.get(INDEX_FILE);
  if (index === undefined) {
    throw new CliError(`${path} ${isWhole ? 'holds no OCI image' : 'is no tar archive, or only the start of one'}`, {
      cure: 'Make it with "kosmosctl image pull", hack/image/build.sh, or another tool that writes OCI archives.',
    });
  }
  const blob = (descriptor: Descriptor): ArchiveEntry => blobOf(path, byName, descriptor);
  let document = parseManifest(await readEntry(path, index), `${INDEX_FILE} in ${path}`, undefined);
  let chosen: Descriptor | undefined;
  let name: string | undefined;
  let manifest: StoredManifest | undefined;
  for (let depth = 0; document.kind === 'index' && depth < DEEPEST; depth += 1) {
    chosen = choosePlatform(document.manifests, platform, path);
    name ??= nameOf(chosen);
    const content = await readEntry(path, blob(chosen));
    document = parseManifest(content, `${chosen.digest} in ${path}`, chosen.mediaType);
    manifest = { content, digest: chosen.digest, mediaType: document.mediaType };
  }
  const image = imageOf(document, path);
  if (manifest === undefined) throw new CliError(`${INDEX_FILE} in ${path} is no index`);
  return {
    name: name === undefined ? undefined : parseReference(name),
    manifest,
    blobs: blobsOf(image).map((descriptor) => ({ ...descriptor, entry: blob(descriptor) })),
  };
}

function imageOf(document: ManifestDocument, path: string): Extract<ManifestDocument, { kind: 'image' }>['image'] {
  if (document.kind === 'image') return document.image;
  throw new CliError(`${path} has one index in another, and no image`);
}

async function indexed(path: string, signal: AbortSignal): ReturnType<typeof indexArchive> {
  try {
    return await indexArchive(path, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || signal.aborted) throw error;
    throw new CliError(`the archive ${path} can't be read (${code})`, { cause: error, cure: 'Correct its path.' });
  }
}

function blobOf(path: string, entries: ReadonlyMap<string, ArchiveEntry>, { digest, size }: Descriptor): ArchiveEntry {
  const entry = entries.get(blobPath(digest));
  if (entry !== undefined && entry.digest === digest && entry.size === size) return entry;
  throw new CliError(
    `the archive ${path} is damaged: ${digest} ${entry === undefined ? 'is missing' : 'is not what it was'}`,
    {
      cure: 'Copy or make the archive again.',
    },
  );
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { extract, type Extract } from 'tar-stream';
import { CliError } from '../failure.js';
import { LONGEST_MANIFEST } from './manifest.js';
import { BLOCK } from './tar-header.js';

/** A file in an archive. */
export interface ArchiveEntry {
  /** Without `./` before it. */
  readonly name: string;
  /** Where its content begins. */
  readonly offset: number;
  readonly size: number;
  /** Of its content, as it is. */
  readonly digest: string;
}

/**
 * All files of a tar archive that are whole, in their order. Reads all of it.
 *
 * @returns `isWhole` is false when it ends in the middle, or goes on as something else
 * @throws Error of the file system
 */
export async function indexArchive(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly entries: readonly ArchiveEntry[]; readonly isWhole: boolean }> {
  const entries: ArchiveEntry[] = [];
  const source = createReadStream(path, { signal });
  const tar = extract();
  source.pipe(tar);
  const broken = new Promise<never>((_, reject) => source.once('error', reject));
  try {
    await Promise.race([collect(tar, entries), broken]);
    return { entries, isWhole: true };
  } catch (error) {
    if (source.errored !== null || signal.aborted) throw error;
    return { entries, isWhole: false };
  } finally {
    source.destroy();
    broken.catch(() => undefined);
  }
}

async function collect(tar: Extract, entries: ArchiveEntry[]): Promise<void> {
  for await (const entry of tar) {
    const hash = createHash('sha256');
    for await (const chunk of entry) hash.update(chunk as Uint8Array);
    const { name, size, type } = entry.header;
    if (type !== 'file') continue;
    const digest = `sha256:${hash.digest('hex')}`;
    entries.push({ name: name.replace(/^\.\//, ''), offset: entry.offset + BLOCK, size, digest });
  }
}

/** The content of a file that is no longer than a manifest. @throws CliError when it is */
export async function readEntry(path: string, { name, offset, size }: ArchiveEntry): Promise<Buffer> {
  if (size > LONGEST_MANIFEST) throw new CliError(`${name} in ${path} is too long to be what it should be`);
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, offset);
    if (bytesRead !== size) throw new CliError(`${path} has become shorter while it was read`);
    return buffer;
  } finally {
    await file.close();
  }
}

/** The content of a file, as a stream. */
export function streamEntry(path: string, { offset, size }: ArchiveEntry): Readable {
  return size === 0 ? createReadStream('/dev/null') : createReadStream(path, { start: offset, end: offset + size - 1 });
}

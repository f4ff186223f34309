import { open, rename, rm, statfs, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CliError } from '../failure.js';
import { indexArchive, type ArchiveEntry } from './archive-reader.js';
import { mebibytes } from './progress.js';
import { BLOCK, tarHeader, tarPadding } from './tar-header.js';

/** What is to be in an archive: the whole content, or where it comes from. */
export interface ArchivePart {
  readonly name: string;
  readonly size: number;
  /** `sha256:…` of the content. */
  readonly digest: string;
  readonly content: () => AsyncIterable<Uint8Array>;
}

/** Failures after which nothing of what was written can stay. */
const NO_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/**
 * Writes an archive that is either whole or not there. What is written stands in a file beside it until it is whole; when
 * that was interrupted, the next one goes on with the parts that are there.
 */
export class ArchiveWriter {
  readonly #path: string;
  readonly #signal: AbortSignal;

  constructor(path: string, signal: AbortSignal) {
    this.#path = path;
    this.#signal = signal;
  }

  /** @throws CliError */
  async write(parts: readonly ArchivePart[], report: (bytes: number) => void): Promise<void> {
    const file = await this.#guard(() => open(this.#partial, 'a+'));
    await file.close();
    try {
      await this.#guard(() => this.#fill(parts, report));
      await this.#verify(parts);
      await this.#guard(() => rename(this.#partial, this.#path));
    } catch (error) {
      const { code } = ((error as Error).cause as NodeJS.ErrnoException | undefined) ?? {};
      if (NO_ROOM.includes(code)) await rm(this.#partial, { force: true });
      throw error;
    }
  }

  get #partial(): string {
    return `${this.#path}.partial`;
  }

  async #fill(parts: readonly ArchivePart[], report: (bytes: number) => void): Promise<void> {
    const { entries } = await indexArchive(this.#partial, this.#signal);
    const kept = parts.findIndex((part, index) => !isSame(part, entries[index]));
    const present = entries.slice(0, kept < 0 ? parts.length : kept);
    const file = await open(this.#partial, 'r+');
    try {
      let position = present.reduce((_, entry) => endOf(entry), 0);
      await file.truncate(position);
      report(present.reduce((sum, { size }) => sum + size, 0));
      const missing = parts.slice(present.length);
      await this.#requireRoom(missing.reduce((sum, { size }) => sum + size, 0));
      for (const part of missing) position = await writePart(file, position, part, report);
      await writeAll(file, Buffer.alloc(2 * BLOCK), position);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** It is better to know before than after half an hour. */
  async #requireRoom(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(dirname(this.#path));
    if (bavail * bsize >= bytes) return;
    throw Object.assign(new Error(`${mebibytes(bytes)} are needed, ${mebibytes(bavail * bsize)} are free`), {
      code: 'ENOSPC',
    });
  }

  /** What is on the disk is what was wanted, whoever else has written there meanwhile. */
  async #verify(parts: readonly ArchivePart[]): Promise<void> {
    const { entries, isWhole } = await indexArchive(this.#partial, this.#signal);
    const isGood = isWhole && entries.length === parts.length && parts.every((part, i) => isSame(part, entries[i]));
    if (isGood) return;
    await rm(this.#partial, { force: true });
    throw new CliError(`${this.#partial} has been changed while it was written`, {
      cure: 'Does another command write it? Run this one again when that has ended.',
    });
  }

  async #guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof CliError || this.#signal.aborted) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      if (NO_ROOM.includes(code)) {
        const detail = message.includes(code) ? '' : `: ${message}`;
        throw new CliError(`there is no room for ${this.#path} (${code})${detail}`, {
          cause: error,
          cure: 'Free some there, or name a file on another disk with --output.',
        });
      }
      throw new CliError(`${this.#path} can't be written (${code})`, {
        cause: error,
        cure: 'Name a file in a folder that you may write with --output.',
      });
    }
  }
}

function isSame(part: ArchivePart, entry: ArchiveEntry | undefined): boolean {
  return entry?.name === part.name && entry.size === part.size && entry.digest === part.digest;
}

function endOf({ offset, size }: ArchiveEntry): number {
  return offset + Math.ceil(size / BLOCK) * BLOCK;
}

async function writePart(
  file: FileHandle,
  start: number,
  part: ArchivePart,
  report: (bytes: number) => void,
): Promise<number> {
  let position = await writeAll(file, tarHeader(part.name, part.size), start);
  for await (const chunk of part.content()) {
    position = await writeAll(file, chunk, position);
    report(chunk.length);
  }
  return writeAll(file, tarPadding(part.size), position);
}

/** A disk that is nearly full may take a part of it. */
async function writeAll(file: FileHandle, bytes: Uint8Array, start: number): Promise<number> {
  let written = 0;
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written, start + written)).bytesWritten;
  }
  return start + written;
}

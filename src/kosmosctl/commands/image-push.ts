import { Readable } from 'node:stream';
import type { CliContext } from '../context.js';
import { usageError } from '../failure.js';
import { readRegistryAccess, type AccessFlags } from '../image/access.js';
import { readArchiveImage, type ArchiveImage } from '../image/archive-image.js';
import { streamEntry } from '../image/archive-reader.js';
import type { Platform } from '../image/manifest.js';
import { mebibytes, progressOf } from '../image/progress.js';
import { renderReference, type ImageReference } from '../image/reference.js';
import { Repository, scopeOf } from '../image/registry.js';
import { runSteps } from '../output/steps.js';

export interface PushOptions {
  readonly archive: string;
  /** Where to; what the archive calls the image decides on what is left open. */
  readonly target: (name: ImageReference | undefined) => ImageReference | undefined;
  /** Which image to take from an archive with several. */
  readonly platform: Platform;
  readonly access: AccessFlags;
}

/** Brings the image of an archive to a registry. Run again, it sends what is not there yet. */
export async function pushImage(options: PushOptions, context: CliContext): Promise<void> {
  const { archive, platform } = options;
  const { terminal, signal } = context;
  const image = await readArchiveImage(archive, platform, signal);
  const target = options.target(image.name);
  if (target === undefined) throw usageError(`${archive} gives its image no name`, 'Name it whole with --to.');
  const from = originOf(image, target);
  const scopes = [scopeOf(target, 'pull,push'), ...(from === undefined ? [] : [`repository:${from}:pull`])];
  const repository = new Repository(target.repository, {
    ...(await readRegistryAccess(target.registry, options.access, context)),
    scopes,
  });
  const name = renderReference(target);
  const total = image.blobs.reduce((sum, { size }) => sum + size, 0);
  try {
    await runSteps(context, [
      {
        title: `Send what ${target.registry} hasn't got`,
        run: async (report) => {
          const advance = progressOf(total, report);
          let sent = 0;
          for (const blob of image.blobs) {
            const open = (): Readable => Readable.from(counted(streamEntry(archive, blob.entry), advance));
            if (await repository.hasBlob(blob.digest)) advance(blob.size);
            else if ((await repository.upload(blob, from, open)) === 'found') advance(blob.size);
            else sent += blob.size;
          }
          return `${mebibytes(sent)} of ${mebibytes(total)}`;
        },
      },
      {
        title: `Call it ${name}`,
        run: async () => {
          await repository.putManifest(target.reference, image.manifest);
          return undefined;
        },
      },
    ]);
  } finally {
    await repository.close();
  }
  terminal.out(`${name}@${image.manifest.digest}\n`);
  terminal.err(`\nInstall from there, and join members, with:\n  --image ${name}\n`);
}

/** The repository of the same registry that the image was taken from. */
function originOf({ name }: ArchiveImage, target: ImageReference): string | undefined {
  const isOther = name?.registry === target.registry && name.repository !== target.repository;
  return isOther ? name.repository : undefined;
}

async function* counted(source: Readable, advance: (bytes: number) => void): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of source) {
    yield chunk as Buffer;
    advance((chunk as Buffer).length);
  }
}

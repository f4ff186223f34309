import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { archiveFiles, type ArchiveFiles } from '../../hack/image/oci.js';
import { digestOf } from '../../src/kosmosctl/image/digest.js';

/** The name that archives of tests give their image. */
export const ARCHIVED_NAME = 'kosmos.local/kosmos:0.1.0';

/** Files of an archive as the build makes it, with layers of these contents. */
export function archiveOf(...layers: readonly (string | Buffer)[]): ArchiveFiles {
  return archiveFiles({
    ...{ name: ARCHIVED_NAME, version: '0.1.0', architecture: 'amd64' },
    layers: layers.map((layer, index) => ({
      ...{ what: `layer ${index}`, tarDigest: digestOf(`tar ${index}`), compressed: Buffer.from(layer) },
    })),
  });
}

/** Digest of the manifest that an archive is about. */
export function manifestDigest(files: ArchiveFiles): string {
  const index = JSON.parse(files.get('index.json')?.toString() ?? '') as { manifests: readonly { digest: string }[] };
  return index.manifests[0]?.digest ?? '';
}

/** Writes files into an archive with the machine's own tar, as the build does. */
export function writeWithTar(path: string, files: ReadonlyMap<string, string | Buffer>): void {
  const folder = mkdtempSync(join(tmpdir(), 'kosmos-archive-'));
  try {
    for (const [name, content] of files) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    execFileSync('tar', ['--sort=name', '--format=gnu', '-cf', path, '-C', folder, '.']);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

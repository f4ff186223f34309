import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goArch } from './go-toolchain.js';
import type { Suite } from './programs.js';
import { run } from './run.js';

const DOWNLOAD_LIMIT_MS = 15 * 60_000;

/** What to download, and where to. */
export interface DownloadRequest {
  readonly suite: Suite;
  readonly version: string;
  /** Names of the files to have in `folder` afterwards. */
  readonly files: readonly string[];
  readonly folder: string;
}

/** Where a file of a release is, and what is inside. */
export interface ReleaseFile {
  readonly url: string;
  /** Where the release's own SHA-256 of the file is published, if it is. */
  readonly checksumUrl?: string;
  /** For an archive: the path inside it. */
  readonly member?: string;
}

/** The official release file that contains a program. @throws Error when a project releases none. */
export function releaseFile(suite: Suite['name'], version: string, file: string, arch: string): ReleaseFile {
  const plain = version.replace(/^v/, '');
  const github = (repository: string, asset: string): string =>
    `https://github.com/${repository}/releases/download/${version}/${asset}`;
  switch (suite) {
    case 'kubernetes': {
      const url = `https://dl.k8s.io/release/${version}/bin/linux/${arch}/${file}`;
      return { url, checksumUrl: `${url}.sha256` };
    }
    case 'etcd': {
      const folder = `etcd-${version}-linux-${arch}`;
      return { url: github('etcd-io/etcd', `${folder}.tar.gz`), member: `${folder}/${file}` };
    }
    case 'kwok':
      return { url: github('kubernetes-sigs/kwok', file === 'kwok' ? `kwok-linux-${arch}` : 'stage-fast.yaml') };
    case 'coredns': {
      const url = github('coredns/coredns', `coredns_${plain}_linux_${arch}.tgz`);
      return { url, checksumUrl: `${url}.sha256`, member: file };
    }
    case 'containerd': {
      const url = github('containerd/containerd', `containerd-${plain}-linux-${arch}.tar.gz`);
      return { url, checksumUrl: `${url}.sha256sum`, member: `bin/${file}` };
    }
    case 'metrics-server':
      throw new Error('its releases have images and manifests only');
    case 'registry':
    case 'helm':
    case 'conformance':
      throw new Error('it is built from its modules alone');
  }
}

async function fetchBytes(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_LIMIT_MS) });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

async function download(release: ReleaseFile, target: string): Promise<void> {
  const bytes = await fetchBytes(release.url);
  if (release.checksumUrl !== undefined) {
    const expected = (await fetchBytes(release.checksumUrl)).toString('utf8').trim().split(/\s+/)[0];
    const actual = createHash('sha256').update(bytes).digest('hex');
    if (expected !== actual)
      throw new Error(`${release.url}: SHA-256 is ${actual}, published is ${expected ?? 'none'}`);
  }
  if (release.member === undefined) {
    await writeFile(target, bytes);
    return;
  }
  const unpacked = `${target}.unpacked`;
  await mkdir(unpacked, { recursive: true });
  await run('tar', ['-xz', '-C', unpacked, release.member], { input: bytes, timeoutMs: DOWNLOAD_LIMIT_MS });
  await copyFile(join(unpacked, release.member), target);
  await rm(unpacked, { recursive: true, force: true });
}

/** Downloads official release files: the way for machines that have no Go and can't get one. */
export async function downloadPrograms(request: DownloadRequest): Promise<void> {
  for (const file of request.files) {
    const target = join(request.folder, file);
    try {
      await download(releaseFile(request.suite.name, request.version, file, goArch()), target);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(
        `${file} ${request.version} can be neither built nor downloaded (${why}). To build it, install Go 1.26 or newer ` +
          '(https://go.dev/doc/install), or an older one that can fetch it: apt-get install golang-go',
        { cause: error },
      );
    }
    await chmod(target, 0o755);
  }
}

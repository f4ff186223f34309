import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildPrograms, releasedVersions, writeKwokStages } from './build.js';
import { findGo, goArch } from './go-toolchain.js';
import { withFileLock } from './lock.js';
import { cacheDirectory } from './paths.js';
import { pinnedVersion, suitesFor, type Suite } from './programs.js';
import { downloadPrograms } from './releases.js';
import { PINNED_KUBERNETES, normalizeVersion, resolvePatch } from './versions.js';

const BUILD_LIMIT_MS = 60 * 60_000;

/** File of the KWOK suite that holds its stages: what its fake kubelet does to nodes and pods. */
export const KWOK_STAGES = 'stages.yaml';

/** Paths of programs by name; `stages.yaml` is KWOK's configuration. */
export type Binaries = Readonly<Record<string, string>>;

/** What to provide. */
export interface BinariesRequest {
  readonly full: boolean;
  /** As `1.36`, `v1.36.3` … */
  readonly kubeVersion: string;
  readonly log: (line: string) => void;
}

function filesOf(suite: Suite): string[] {
  return [...Object.keys(suite.programs), ...(suite.name === 'kwok' ? [KWOK_STAGES] : [])];
}

async function versionFor(suite: Suite, request: BinariesRequest): Promise<string> {
  const pinned = pinnedVersion(suite);
  const wanted = normalizeVersion(request.kubeVersion);
  if (suite.name !== 'kubernetes' || wanted === pinned || PINNED_KUBERNETES.startsWith(`${wanted}.`)) return pinned;
  if (/^v\d+\.\d+\.\d+$/.test(wanted)) return wanted;
  return resolvePatch(wanted, await releasedVersions(await findGo(request.log)));
}

/** A version that can't be built here may still be had as release files: the module proxy may lack a part of it. */
async function makePrograms(
  suite: Suite,
  version: string,
  files: readonly string[],
  request: MakeRequest,
): Promise<void> {
  const { folder, log } = request;
  const download = async (): Promise<void> => {
    log(`downloading ${suite.name} ${version}: ${files.join(' ')}`);
    await downloadPrograms({ suite, version, files, folder });
  };
  const go = await findGo(log);
  if (go === undefined) return download();
  log(`building ${suite.name} ${version}: ${files.join(' ')} (only the first time)`);
  try {
    const programs = files.filter((name) => name !== KWOK_STAGES);
    await buildPrograms({ go, suite, version, programs, folder });
    if (files.includes(KWOK_STAGES)) await writeKwokStages(go, join(folder, KWOK_STAGES));
  } catch (error) {
    log(`${suite.name} ${version} can't be built: ${lastLine(error)}`);
    await download();
  }
}

interface MakeRequest {
  readonly folder: string;
  readonly log: (line: string) => void;
}

/** Of a failed build the last line says why; those before it tell what was downloaded. */
function lastLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trimEnd().split('\n').at(-1) ?? '';
}

async function provide(suite: Suite, version: string, folder: string, log: (line: string) => void): Promise<void> {
  const missing = filesOf(suite).filter((name) => !existsSync(join(folder, name)));
  if (missing.length === 0) return;
  const partial = join(folder, 'partial');
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await makePrograms(suite, version, missing, { folder: partial, log });
  for (const name of missing) await rename(join(partial, name), join(folder, name));
  await rm(partial, { recursive: true, force: true });
}

/** Makes sure that all programs of a lab are in the cache, and says where. Safe to call from several processes. */
export async function ensureBinaries(request: BinariesRequest): Promise<Binaries> {
  const paths: Record<string, string> = {};
  for (const suite of suitesFor(request.full)) {
    Object.assign(paths, await ensureSuite(suite, await versionFor(suite, request), request.log));
  }
  return paths;
}

/** As {@link ensureBinaries} for one set of programs. */
export async function ensureSuite(
  suite: Suite,
  version: string,
  log: (line: string) => void,
): Promise<Record<string, string>> {
  const folder = join(cacheDirectory(), 'bin', `${suite.name}-${version}-${goArch()}`);
  const files = filesOf(suite);
  if (!files.every((name) => existsSync(join(folder, name)))) {
    await withFileLock(`${folder}.lock`, BUILD_LIMIT_MS, () => provide(suite, version, folder, log));
  }
  return Object.fromEntries(files.map((name) => [name, join(folder, name)]));
}

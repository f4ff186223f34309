import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from './lock.js';
import { cacheDirectory } from './paths.js';
import { run } from './run.js';
import { GO_RELEASE, isUsableGo } from './versions.js';

const FETCH_LIMIT_MS = 15 * 60_000;

/** Node's name of the processor as Go has it. */
export function goArch(arch: string = process.arch): string {
  return arch === 'x64' ? 'amd64' : arch;
}

async function versionOf(go: string): Promise<string | undefined> {
  try {
    return (await run(go, ['version'], { env: { ...process.env, GOTOOLCHAIN: 'local' } })).stdout;
  } catch {
    // Not there, or made for another machine: either way it is of no use here.
    return undefined;
  }
}

async function firstWorking(
  candidates: readonly string[],
  accept: (version: string) => boolean,
): Promise<string | undefined> {
  for (const candidate of candidates) {
    const version = await versionOf(candidate);
    if (version !== undefined && accept(version)) return candidate;
  }
  return undefined;
}

/** Module zips keep no executable bits, and their go.mod files are renamed, since a module may not contain another. */
async function makeRunnable(root: string): Promise<void> {
  const tools = join(root, 'pkg/tool', `linux_${goArch()}`);
  for (const folder of [join(root, 'bin'), tools]) {
    if (!existsSync(folder)) continue;
    for (const name of await readdir(folder)) await chmod(join(folder, name), 0o755);
  }
  for (const folder of [join(root, 'src'), join(root, 'src/cmd'), root]) {
    const hidden = join(folder, '_go.mod');
    if (existsSync(hidden)) await rename(hidden, join(folder, 'go.mod'));
  }
}

async function fetchToolchain(client: string, target: string): Promise<void> {
  const module = `golang.org/toolchain@v0.0.1-${GO_RELEASE}.linux-${goArch()}`;
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod', GO111MODULE: 'on' };
  const { stdout } = await run(client, ['mod', 'download', '-json', module], {
    env,
    timeoutMs: FETCH_LIMIT_MS,
    cwd: '/',
  });
  const { Dir: directory } = JSON.parse(stdout) as { Dir: string };
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(join(target, '..'), { recursive: true });
  await cp(directory, partial, { recursive: true });
  await run('chmod', ['-R', 'u+w', partial]);
  await makeRunnable(partial);
  await rename(partial, target);
}

/**
 * A Go command that is new enough: the machine's own, else one fetched earlier, else the toolchain module, fetched by
 * an older Go (which apt-get can install) from the module proxy that the machine is set up for.
 * Undefined when there is no Go at all, or the toolchain can't be fetched.
 */
export async function findGo(log: (line: string) => void): Promise<string | undefined> {
  const machine = ['go', '/usr/local/go/bin/go', '/usr/lib/go/bin/go'];
  const cached = join(cacheDirectory(), 'go', `${GO_RELEASE}-${goArch()}`);
  const usable = await firstWorking([...machine, join(cached, 'bin/go')], isUsableGo);
  if (usable !== undefined) return usable;
  const client = await firstWorking(machine, () => true);
  if (client === undefined) return undefined;
  return withFileLock(`${cached}.lock`, FETCH_LIMIT_MS, async () => {
    const go = join(cached, 'bin/go');
    if (existsSync(go)) return go;
    log(`fetching ${GO_RELEASE}`);
    try {
      await fetchToolchain(client, cached);
    } catch (error) {
      log(`${GO_RELEASE} can't be fetched: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
    return go;
  });
}

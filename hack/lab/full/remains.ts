import { existsSync, readFileSync, readdirSync, readlinkSync, rmSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { instanceCgroup, instanceDirectory, runtimeDirectory } from '../paths.js';
import { run } from '../run.js';
import { removeCgroup } from './cgroups.js';

/** Folders that kubelet and the container network plugins use wherever their other folders are. */
const LOG_LINKS = '/var/log/containers';
const NETWORK_CACHE = '/var/lib/cni/results';

/** Mount points below some folders, the innermost first, from the text of /proc/self/mounts. */
export function mountsBelow(mounts: string, directories: readonly string[]): string[] {
  return mounts
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter((point) => directories.some((directory) => point.startsWith(`${directory}/`)))
    .reverse();
}

async function unmountAll(directories: readonly string[]): Promise<void> {
  for (const point of mountsBelow(readFileSync('/proc/self/mounts', 'utf8'), directories)) {
    const { code, stderr } = await run('umount', ['--lazy', point], { allowFailure: true });
    // Whoever made it may have ended it in the meantime.
    if (code !== 0 && mountsBelow(readFileSync('/proc/self/mounts', 'utf8'), directories).includes(point)) {
      throw new Error(`${point} can't be unmounted: ${stderr}`);
    }
  }
}

function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

/** Kubelet links each container's log from one folder of the machine, whatever its own folders are. */
function removeLogLinks(directory: string): void {
  if (!existsSync(LOG_LINKS)) return;
  for (const entry of readdirSync(LOG_LINKS, { withFileTypes: true })) {
    const link = join(LOG_LINKS, entry.name);
    if (entry.isSymbolicLink() && readlinkSync(link).startsWith(`${directory}/`)) rmSync(link);
  }
  removeIfEmpty(LOG_LINKS);
}

function removeNetworkCache(networkPrefix: string): void {
  if (!existsSync(NETWORK_CACHE)) return;
  for (const name of readdirSync(NETWORK_CACHE)) {
    if (name.startsWith(networkPrefix)) rmSync(join(NETWORK_CACHE, name));
  }
  removeIfEmpty(NETWORK_CACHE);
  removeIfEmpty('/var/lib/cni');
}

/** Removes what kubelets and containers leave outside namespaces. All processes of the instance must have ended. */
export async function removeContainerRemains(instance: string): Promise<void> {
  const [directory, runtime] = [instanceDirectory(instance), runtimeDirectory(instance)];
  await unmountAll([directory, runtime]);
  await removeCgroup(instanceCgroup(instance));
  removeLogLinks(directory);
  removeNetworkCache(`${instanceCgroup(instance).slice(1)}-`);
  rmSync(runtime, { recursive: true, force: true });
}

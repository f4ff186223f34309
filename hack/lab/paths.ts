import { createHash } from 'node:crypto';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Root of the repository, seen from the compiled file dist/hack/lab/paths.js. */
export const REPOSITORY = resolve(import.meta.dirname, '../../..');
/** Where all instances keep their files. */
export const LAB_ROOT = join(REPOSITORY, '.lab');
/** The pinned Go modules that the programs are built from. */
export const MODULES = join(REPOSITORY, 'hack/lab/modules');

/** The folder that keeps built programs between runs: `KOSMOS_CACHE`, else a folder in the user's cache. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const explicit = environment['KOSMOS_CACHE'];
  if (explicit !== undefined && explicit !== '') return resolve(explicit);
  const base = environment['XDG_CACHE_HOME'] ?? join(environment['HOME'] ?? homedir(), '.cache');
  return join(base === '' ? tmpdir() : base, 'kosmos');
}

/** Folder of an instance; the default one uses the lab's root itself. */
export function instanceDirectory(instance: string, root: string = LAB_ROOT): string {
  return instance === 'default' ? root : join(root, instance);
}

/** Five bytes that tell an instance of this folder from all others on the machine. */
export function instanceFingerprint(instance: string, root: string = LAB_ROOT): string {
  return createHash('sha256').update(`${root}\0${instance}`).digest('hex').slice(0, 10);
}

/** Runtime folder of an instance with real containers: sockets, whose paths must be short, and what the runtime mounts. */
export function runtimeDirectory(instance: string, root: string = LAB_ROOT): string {
  return `/run/kosmos-lab-${instanceFingerprint(instance, root)}`;
}

/** Path of the control group that holds all containers of an instance, below the root of every hierarchy. */
export function instanceCgroup(instance: string, root: string = LAB_ROOT): string {
  return `/kosmos-lab-${instanceFingerprint(instance, root)}`;
}

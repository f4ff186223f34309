import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { waitFor } from '../run.js';

const REMOVE_LIMIT_MS = 20_000;

/** Mount points of the machine's control group hierarchies. */
export interface Hierarchies {
  /** One for each controller or set of controllers (version 1). */
  readonly v1: readonly string[];
  /** The unified one (version 2), if it is mounted. */
  readonly v2: string | undefined;
}

/** Finds the hierarchies in the text of /proc/self/mounts. */
export function parseHierarchies(mounts: string): Hierarchies {
  const entries = mounts.split('\n').map((line) => line.split(' '));
  const ofType = (type: string): string[] =>
    entries.filter((entry) => entry[2] === type).map((entry) => entry[1] ?? '');
  return { v1: ofType('cgroup'), v2: ofType('cgroup2')[0] };
}

function hierarchies(): Hierarchies {
  return parseHierarchies(readFileSync('/proc/self/mounts', 'utf8'));
}

/** A new cpuset group may hold no process until it has CPUs and memory nodes; others lack these files. */
function inheritCpuset(folder: string): void {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    const file = join(folder, name);
    if (!existsSync(file) || readFileSync(file, 'utf8').trim() !== '') continue;
    writeFileSync(file, readFileSync(join(dirname(folder), name), 'utf8'));
  }
}

/** In version 2 a group's children have only the controllers that their parent passes on. */
function passOnControllers(folder: string): void {
  const offered = readFileSync(join(folder, 'cgroup.controllers'), 'utf8').trim();
  if (offered === '') return;
  const wanted = offered.split(/\s+/).map((controller) => `+${controller}`);
  writeFileSync(join(folder, 'cgroup.subtree_control'), wanted.join(' '));
}

/** Makes the group of a kubelet in every hierarchy: a kubelet expects its root group to be there. */
export function createCgroup(path: string): void {
  const { v1, v2 } = hierarchies();
  const parent = dirname(path);
  for (const root of v1) {
    for (const folder of [join(root, parent), join(root, path)]) {
      mkdirSync(folder, { recursive: true });
      inheritCpuset(folder);
    }
  }
  if (v2 === undefined) return;
  mkdirSync(join(v2, path), { recursive: true });
  // With both versions mounted, the controllers are in use by version 1.
  if (v1.length === 0) for (const folder of [v2, join(v2, parent), join(v2, path)]) passOnControllers(folder);
}

function subtree(folder: string): string[] {
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap((entry) => subtree(join(folder, entry.name))), folder];
}

function folders(path: string): string[] {
  const { v1, v2 } = hierarchies();
  return [...v1, ...(v2 === undefined ? [] : [v2])]
    .map((root) => join(root, path))
    .filter((folder) => existsSync(folder));
}

/** All processes in a group and below. */
export function processesInCgroup(path: string): number[] {
  const files = folders(path).flatMap(subtree);
  const pids = files.flatMap((folder) => readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n'));
  return [...new Set(pids.filter(Boolean).map(Number))];
}

/** Removes a group with all below it; its processes must have ended. */
export async function removeCgroup(path: string): Promise<void> {
  const probe = (): true | undefined => {
    for (const folder of folders(path).flatMap(subtree)) rmdirSync(folder);
    return folders(path).length === 0 ? true : undefined;
  };
  await waitFor(`removal of control group ${path}`, probe, { timeoutMs: REMOVE_LIMIT_MS, intervalMs: 50 });
}

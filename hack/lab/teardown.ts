import { processesInCgroup } from './full/cgroups.js';
import { removeContainerRemains } from './full/remains.js';
import { clusterNames } from './options.js';
import { blocksOf, deleteBlock, deleteNamespace, namespacesOf, processesIn } from './network.js';
import { instanceCgroup, instanceFingerprint } from './paths.js';
import { identify, isAlive, markedProcesses, signalProcess, waitForEnd, type ProcessIdentity } from './processes.js';
import { waitFor } from './run.js';
import type { StateStore } from './state.js';

const KILL_LIMIT_MS = 30_000;
const CREATOR_LIMIT_MS = 60_000;

/** All processes of an instance: recorded ones, marked ones, and whatever runs in its namespaces and containers. */
async function processesOf(
  store: StateStore,
  instance: string,
  namespaces: readonly string[],
): Promise<ProcessIdentity[]> {
  const inside = await Promise.all(namespaces.map(processesIn));
  const found = [
    ...store.processes().map((record) => record.identity),
    ...markedProcesses(store.directory),
    ...[...inside.flat(), ...processesInCgroup(instanceCgroup(instance))].flatMap((pid) => identify(pid) ?? []),
  ];
  const unique = new Map(found.filter(isAlive).map((identity) => [identity.pid, identity]));
  unique.delete(process.pid);
  return [...unique.values()];
}

/** Kills until nothing is left: a killed process may have started another one just before. */
async function killAll(store: StateStore, instance: string, namespaces: readonly string[]): Promise<void> {
  const probe = async (): Promise<true | undefined> => {
    const left = await processesOf(store, instance, namespaces);
    if (left.length === 0) return true;
    for (const identity of left) signalProcess(identity, 'SIGKILL');
    await waitForEnd(left, KILL_LIMIT_MS);
    return undefined;
  };
  await waitFor('end of all processes of the lab', probe, { timeoutMs: KILL_LIMIT_MS, intervalMs: 10 });
}

/**
 * Waits for another process that is in the middle of `up`, since both would undo each other's work. An interrupted
 * `up` calls for its own removal by a child, and stands still until that has finished.
 */
async function waitForCreator(store: StateStore): Promise<void> {
  const probe = (): true | undefined => {
    const state = store.load();
    if (state?.phase !== 'starting' || !isAlive(state.creator)) return true;
    return [process.pid, process.ppid].includes(state.creator.pid) ? true : undefined;
  };
  await waitFor('end of an "up" that is under way', probe, { timeoutMs: CREATOR_LIMIT_MS, intervalMs: 250 });
}

/**
 * Removes everything of an instance from the machine: processes, namespaces, interfaces, files. Works from what is
 * found on the machine as much as from what was recorded, so that it can follow a crash at any point. Idempotent.
 */
export async function tearDown(store: StateStore, instance: string): Promise<void> {
  await waitForCreator(store);
  const blocks = await blocksOf(instanceFingerprint(instance));
  const namespaces = (await Promise.all(blocks.map(namespacesOf))).flat();
  await killAll(store, instance, namespaces);
  await removeContainerRemains(instance);
  for (const namespace of namespaces) await deleteNamespace(namespace);
  for (const block of blocks) await deleteBlock(block);
  store.remove(clusterNames(store.load()?.config.members ?? 0));
}

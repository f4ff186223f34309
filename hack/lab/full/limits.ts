import { readFileSync, writeFileSync } from 'node:fs';

const FILE = '/proc/sys/fs/inotify/max_user_instances';
/** A node takes about twelve, and all nodes of all labs are one user's. Many kernels allow 128. */
const ENOUGH = 2_048;

/** Lets kubelets and container runtimes of many nodes watch their files. Never takes anything away. */
export function allowWatches(file: string = FILE): void {
  const allowed = Number(readFileSync(file, 'utf8'));
  if (allowed >= ENOUGH) return;
  try {
    writeFileSync(file, String(ENOUGH));
  } catch (error) {
    const cure = `sysctl fs.inotify.max_user_instances=${ENOUGH}`;
    throw new Error(`nodes need more than ${allowed} inotify instances, which can't be set here: ${cure}`, {
      cause: error,
    });
  }
}

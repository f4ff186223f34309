import { readdirSync, readFileSync } from 'node:fs';
import { run, type CommandResult, type RunOptions } from '../../hack/lab/run.js';

/**
 * The process id of a container of a pod, found by the cgroup that its kubelet made. The lab's nodes share the machine's
 * process ids.
 */
export function podProcess(uid: string): number {
  const found = readdirSync('/proc').find(
    (name) => /^\d+$/.test(name) && isOfPod(name, uid) && read(name, 'comm').trim() !== 'pause',
  );
  if (found === undefined) throw new Error(`no process belongs to the pod with the UID ${uid}`);
  return Number(found);
}

/** Runs a command of a container's own image in it, for much less than a session through the API server costs. */
export function runInPod(pid: number, command: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  return run('nsenter', [`--target=${pid}`, '--mount', '--net', '--uts', '--wd=/', '--', ...command], options);
}

function isOfPod(process: string, uid: string): boolean {
  return read(process, 'cgroup').includes(`/pod${uid}/`);
}

/** Nothing when the process has ended meanwhile, or may not be looked at, as the first one of some machines. */
function read(process: string, file: string): string {
  try {
    return readFileSync(`/proc/${process}/${file}`, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return '';
    throw error;
  }
}

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { instanceDirectory, instanceFingerprint } from '../../hack/lab/paths.js';
import { blocksOf, namespacesOf } from '../../hack/lab/network.js';
import { markedProcesses } from '../../hack/lab/processes.js';

function linesWith(file: string, text: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes(text));
}

function cgroupsNamed(text: string): string[] {
  const found = execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', text], { encoding: 'utf8' });
  return found.split('\n').filter(Boolean);
}

/** What is left on this machine of a lab; all lists are empty when it is gone. */
export interface LabRemains {
  readonly processes: readonly number[];
  readonly bridges: readonly number[];
  readonly namespaces: readonly string[];
  readonly interfaces: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly files: readonly string[];
}

/** Nothing at all. */
export const NOTHING_LEFT: LabRemains = {
  processes: [],
  bridges: [],
  namespaces: [],
  interfaces: [],
  mounts: [],
  cgroups: [],
  files: [],
};

/** Looks for what an instance may have left; `block` is the address block that it had, if that is known. */
export async function remainsOf(instance: string, block?: number): Promise<LabRemains> {
  const directory = instanceDirectory(instance);
  const bridges = await blocksOf(instanceFingerprint(instance));
  const blocks = block === undefined ? bridges : [block];
  const interfaces = readdirSync('/sys/class/net');
  return {
    processes: markedProcesses(directory).map((identity) => identity.pid),
    bridges,
    namespaces: (await Promise.all(blocks.map(namespacesOf))).flat(),
    interfaces: interfaces.filter((name) => blocks.some((number) => name.startsWith(`klv${number}-`))),
    mounts: linesWith('/proc/self/mounts', `${directory}/`),
    cgroups: cgroupsNamed(`kosmos-lab-${instanceFingerprint(instance)}`),
    files: existsSync(directory) ? readdirSync(directory) : [],
  };
}

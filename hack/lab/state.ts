import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import type { LabConfig } from './options.js';
import { LAB_ROOT, instanceDirectory } from './paths.js';
import type { ProcessIdentity } from './processes.js';

/** How far an instance is. */
export type Phase = 'starting' | 'ready';

/** What `up` remembers about an instance, so that other processes can use and remove it. */
export interface InstanceState {
  readonly config: LabConfig;
  readonly phase: Phase;
  /** The process that runs or ran `up`. */
  readonly creator: ProcessIdentity;
  /** Number of the reserved address block; absent until it is reserved. */
  readonly block?: number;
  /** Programs of each cluster, by cluster name. */
  readonly binaries: Readonly<Record<string, Binaries>>;
}

/** What to run, and where. */
export interface ProcessSpec {
  /** Unique within the instance, as `member1.etcd`. */
  readonly name: string;
  /** Network namespace; null for the root one. */
  readonly namespace: string | null;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** May end at any time without anything being wrong. */
  readonly transient?: boolean;
}

/** A started process with all that is needed to start it again. */
export interface ProcessRecord {
  readonly spec: ProcessSpec;
  readonly identity: ProcessIdentity;
}

/** Another instance may just be starting in it, so that only the kernel can tell whether it is empty. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** The recorded state of one instance on disk. */
export class StateStore {
  readonly directory: string;

  constructor(instance: string) {
    this.directory = instanceDirectory(instance);
  }

  get #stateFile(): string {
    return join(this.directory, 'instance.json');
  }

  get #runFolder(): string {
    return join(this.directory, 'run');
  }

  /** Takes the instance's name. @throws Error when it is taken. */
  claim(state: InstanceState): void {
    mkdirSync(this.#runFolder, { recursive: true });
    try {
      writeFileSync(this.#stateFile, JSON.stringify(state), { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new Error(`the lab "${state.config.instance}" exists already; "down" removes it`, { cause: error });
    }
  }

  /** Replaces the state as a whole. */
  save(state: InstanceState): void {
    const partial = `${this.#stateFile}.${process.pid}`;
    writeFileSync(partial, JSON.stringify(state));
    renameSync(partial, this.#stateFile);
  }

  /** The state; undefined when there is no such instance, or `up` died before it had written any. */
  load(): InstanceState | undefined {
    if (!existsSync(this.#stateFile)) return undefined;
    const text = readFileSync(this.#stateFile, 'utf8');
    return text === '' ? undefined : (JSON.parse(text) as InstanceState);
  }

  /** Remembers a started process under its name. */
  saveProcess(record: ProcessRecord): void {
    writeFileSync(join(this.#runFolder, `${record.spec.name}.json`), JSON.stringify(record));
  }

  /** The process that was last started under a name. */
  loadProcess(name: string): ProcessRecord | undefined {
    const file = join(this.#runFolder, `${name}.json`);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord) : undefined;
  }

  /** All recorded processes, dead ones too. A record cut off by a crash is left out: the mark finds its process. */
  processes(): ProcessRecord[] {
    if (!existsSync(this.#runFolder)) return [];
    return readdirSync(this.#runFolder).flatMap((name) => {
      const text = readFileSync(join(this.#runFolder, name), 'utf8');
      try {
        return [JSON.parse(text) as ProcessRecord];
      } catch {
        return [];
      }
    });
  }

  /** Removes the files of the instance; other instances below the same root stay. */
  remove(clusters: readonly string[]): void {
    for (const name of [...clusters, 'client', 'run'])
      rmSync(join(this.directory, name), { recursive: true, force: true });
    if (!existsSync(this.directory)) return;
    for (const name of readdirSync(this.directory)) {
      if (name.startsWith('instance.json')) rmSync(join(this.directory, name), { force: true });
    }
    removeIfEmpty(this.directory);
    removeIfEmpty(LAB_ROOT);
  }
}

/** Names of all instances of this repository, half-made ones too. */
export function listInstances(): string[] {
  if (!existsSync(LAB_ROOT)) return [];
  const names = readdirSync(LAB_ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const instances = names.map((entry) => entry.name).filter((name) => existsSync(join(LAB_ROOT, name, 'run')));
  return existsSync(join(LAB_ROOT, 'run')) ? ['default', ...instances] : instances;
}

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { Logger } from '../../lib/logger.js';

/** What a setting was, and what the agent made of it. */
export interface SavedSysctl {
  readonly before: string;
  readonly set: string;
}

const CONFIG_FILE = 'node-config.json';
const SYSCTL_FILE = 'sysctls.json';
const OWNER_ONLY = 0o600;

interface Envelope {
  readonly sha256: string;
  readonly content: string;
}

/**
 * What the agent remembers on disk: the last good config, for starts without an API server, and what settings were before
 * it changed them. Files carry a checksum; one that was cut off or changed counts as missing.
 */
export class StateStore {
  readonly #directory: string;
  readonly #logger: Logger;
  #sysctls: Record<string, SavedSysctl> | undefined;

  constructor(directory: string, logger: Logger) {
    this.#directory = directory;
    this.#logger = logger;
  }

  /** The config that was kept last; undefined when there is none that can be trusted. */
  config(): NodeConfig | undefined {
    return this.#read(CONFIG_FILE) as NodeConfig | undefined;
  }

  /** Keeps a config; its status and managed fields are left out. */
  saveConfig({ apiVersion, kind, metadata, spec }: NodeConfig): void {
    const { name, generation, uid } = metadata ?? {};
    this.#write(CONFIG_FILE, { apiVersion, kind, metadata: { name, generation, uid }, spec });
  }

  /** All settings that were changed, in the order in which they were. */
  savedSysctls(): Readonly<Record<string, SavedSysctl>> {
    this.#sysctls ??= (this.#read(SYSCTL_FILE) ?? {}) as Record<string, SavedSysctl>;
    return this.#sysctls;
  }

  /** Keeps what a setting was. What it was the first time is what counts. */
  saveSysctl(key: string, saved: SavedSysctl): void {
    const all = { ...this.savedSysctls() };
    all[key] = { before: all[key]?.before ?? saved.before, set: saved.set };
    this.#write(SYSCTL_FILE, all);
    this.#sysctls = all;
  }

  /** Forgets everything. */
  clear(): void {
    for (const file of [CONFIG_FILE, SYSCTL_FILE]) rmSync(join(this.#directory, file), { force: true });
    this.#sysctls = undefined;
  }

  #read(file: string): unknown {
    const path = join(this.#directory, file);
    try {
      const { sha256, content } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Envelope>;
      if (content !== undefined && sha256 === digest(content)) return JSON.parse(content);
      this.#logger.error('a file of the state is damaged and not used', { path });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      this.#logger.error('a file of the state can not be read', { path, error: (error as Error).message });
    }
    return undefined;
  }

  /** Whole or not at all, also when the machine stops meanwhile. */
  #write(file: string, value: unknown): void {
    mkdirSync(this.#directory, { recursive: true });
    const path = join(this.#directory, file);
    const content = JSON.stringify(value);
    const envelope: Envelope = { sha256: digest(content), content };
    writeFileSync(`${path}.new`, JSON.stringify(envelope), { mode: OWNER_ONLY, flush: true });
    renameSync(`${path}.new`, path);
  }
}

function digest(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

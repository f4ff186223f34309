import { readFileSync } from 'node:fs';
import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import { yaml } from '../../lib/yaml.js';
import type { Logger } from '../../lib/logger.js';
import type { Informer } from '../../kube/informer.js';

/** Where the config of this node comes from. */
export interface ConfigSource {
  /** The config as it is now. Undefined when it isn't known, or isn't there: then nothing is changed. */
  current(): NodeConfig | undefined;
  /** Whether `current` is known to be what the API server has. */
  known(): boolean;
  /** Keeps `current` up to date until the signal aborts; calls `onChange` when it is another one. */
  run(signal: AbortSignal, onChange: () => void): Promise<void>;
}

/** Which node an agent works for. */
export interface NodeIdentity {
  readonly clusterName: string;
  readonly nodeName: string;
}

/** Whether a config is for the node. One that doesn't say, as Kosmos' own don't, is for the node that its name tells. */
export function isFor({ spec }: NodeConfig, { clusterName, nodeName }: NodeIdentity): boolean {
  return (spec.clusterName ?? clusterName) === clusterName && (spec.nodeName ?? nodeName) === nodeName;
}

/** The config in the API server of the node's own cluster: a watch for each name that it may have. */
export class ApiConfigSource implements ConfigSource {
  readonly #informers: readonly Informer<NodeConfig>[];
  readonly #identity: NodeIdentity;

  /** @param informers - one for each name that the config may have, the usual one first */
  constructor(informers: readonly Informer<NodeConfig>[], identity: NodeIdentity) {
    this.#informers = informers;
    this.#identity = identity;
  }

  current(): NodeConfig | undefined {
    return this.#informers
      .flatMap(({ store }) => store.list())
      .find((config) => config.metadata?.deletionTimestamp === undefined && isFor(config, this.#identity));
  }

  known(): boolean {
    return this.#informers.every(({ hasSynced, connected }) => hasSynced && connected);
  }

  async run(signal: AbortSignal, onChange: () => void): Promise<void> {
    for (const informer of this.#informers)
      informer.addHandler({ onAdd: onChange, onUpdate: onChange, onDelete: onChange });
    await Promise.all(this.#informers.map((informer) => informer.run(signal)));
  }
}

const FILE_INTERVAL_MS = 500;

/** The config in a file, YAML or JSON, that is read again all the time; for tests and for a look without a cluster. */
export class FileConfigSource implements ConfigSource {
  readonly #path: string;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #logger: Logger;
  #text = '';
  #config: NodeConfig | undefined;
  #generation = 0;
  /** Why the file can't be used, as it was said last; empty while it can. */
  #trouble = '';

  constructor(path: string, clock: Pick<Clock, 'sleep'>, logger: Logger) {
    this.#path = path;
    this.#clock = clock;
    this.#logger = logger;
  }

  current(): NodeConfig | undefined {
    return this.#config;
  }

  known(): boolean {
    return this.#config !== undefined;
  }

  async run(signal: AbortSignal, onChange: () => void): Promise<void> {
    while (!signal.aborted) {
      if (this.#read()) onChange();
      await this.#clock.sleep(FILE_INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  /** Whether there is another config. A file that can't be read leaves the last one as it is; that is said once. */
  #read(): boolean {
    try {
      const text = readFileSync(this.#path, 'utf8');
      if (text === this.#text) return false;
      this.#text = text;
      const config = yaml().parse(text) as Partial<NodeConfig> | null;
      const spec = config?.spec;
      if (typeof spec !== 'object' || (spec as unknown) === null || Array.isArray(spec))
        throw new Error('there is no spec in it');
      this.#generation++;
      this.#config = { ...config, spec, metadata: { generation: this.#generation, ...config?.metadata } };
      return true;
    } catch (error) {
      const trouble = errorMessage(error);
      if (trouble !== this.#trouble)
        this.#logger.warn('the config file can not be used', { path: this.#path, error: trouble });
      this.#trouble = trouble;
      return false;
    }
  }
}

import type { NodeConfig, NodeConfigSpec } from '../../apis/kosmos/v1alpha1/node-config.js';

/** What a write does to the gateway of the cluster; in this order they have to reach the nodes. */
export type WriteStage = 'becomes' | 'follows' | 'resigns';

/**
 * At a hand-over the new gateway has to know that it is one before others send it their traffic, or it would send that
 * back; the old one goes on forwarding until nobody sends it any more.
 */
export function writeStage(before: NodeConfigSpec | undefined, after: NodeConfigSpec): WriteStage {
  const was = before !== undefined && isActiveGateway(before);
  const is = isActiveGateway(after);
  if (is && !was) return 'becomes';
  return was && !is ? 'resigns' : 'follows';
}

/** Whether the agent has brought the kernel to this generation. */
export function isApplied({ metadata, status }: Pick<NodeConfig, 'metadata' | 'status'>): boolean {
  return metadata?.generation !== undefined && status?.observedGeneration === metadata.generation;
}

/** Nodes follow a new gateway after this time, even if that one hasn't said that it is ready. */
export const LONGEST_HOLD_MS = 3_000;

/** Knows which of a cluster's writes have to wait for others. Times are those of a monotonic clock, in milliseconds. */
export class WriteOrder {
  readonly #pending = {
    becomes: new Set<string>(),
    follows: new Set<string>(),
    resigns: new Set<string>(),
  } satisfies Record<WriteStage, Set<string>>;
  readonly #unconfirmed = new Set<string>();
  #begunAt = -Infinity;

  /** Takes note of writes that a new plan asks for, by the names of the NodeConfigs. */
  begin(stages: ReadonlyMap<string, WriteStage>, now: number): void {
    for (const [name, stage] of stages) {
      // A plan that changes all the time must not put a hand-over off for ever.
      if (stage === 'becomes' && !this.#pending.becomes.has(name)) this.#begunAt = now;
      this.#forget(name);
      this.#pending[stage].add(name);
    }
  }

  /** Whether the write must not be made yet. */
  mustWait(stage: WriteStage, now: number): boolean {
    if (stage === 'becomes' || now - this.#begunAt >= LONGEST_HOLD_MS) return false;
    if (this.#pending.becomes.size > 0 || this.#unconfirmed.size > 0) return true;
    return stage === 'resigns' && this.#pending.follows.size > 0;
  }

  /** The write was made, or there was nothing to write. */
  written(name: string, stage: WriteStage | undefined): void {
    this.#forget(name);
    if (stage === 'becomes') this.#unconfirmed.add(name);
  }

  /** The agent has applied what there is. */
  confirmed(name: string): void {
    this.#unconfirmed.delete(name);
  }

  /** There is nothing to write any more, nor anybody who could confirm. */
  gone(name: string): void {
    this.#forget(name);
    this.#unconfirmed.delete(name);
  }

  #forget(name: string): void {
    for (const names of Object.values(this.#pending)) names.delete(name);
  }
}

/** The node is the gateway of its own cluster. */
function isActiveGateway({ clusterName, gateways = [] }: NodeConfigSpec): boolean {
  return gateways.find((entry) => entry.clusterName === clusterName)?.candidates[0]?.self === true;
}

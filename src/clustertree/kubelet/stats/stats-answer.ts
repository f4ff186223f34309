import type { NodeBehind } from '../../cluster/member.js';
import type { OwnPods } from './own-pods.js';

/** For which virtual node figures are wanted. */
export interface StatsRequest {
  readonly nodeName: string;
  /** Nodes of the member behind it; empty while they are not known. */
  readonly behind: readonly NodeBehind[];
  readonly pods: OwnPods;
}

/** Of how much there are no figures, although it is there. */
export interface Missing {
  /** Nodes behind the virtual node. */
  readonly nodes: number;
  /** Pods of the virtual node that run. */
  readonly pods: number;
}

/** An answer of the kubelet API, and what it lacks. */
export interface StatsAnswer {
  readonly contentType: string;
  readonly body: string;
  /** Undefined when the answer doesn't tell. */
  readonly missing: Missing | undefined;
}

/** Content type of the text format of Prometheus. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const JSON_TYPE = 'application/json';

/** What can be asked of a virtual node. `cpuAndMemory` is the Summary with only these two. */
export type StatsKind = 'resource' | 'summary' | 'cpuAndMemory' | 'cadvisor' | 'probes';

/** Answers for the virtual nodes of one member. */
export interface StatsReader {
  /**
   * @throws StatsDenied when the member doesn't let us read them.
   * @throws EndpointError when there is no answer to give.
   */
  read(kind: StatsKind, request: StatsRequest): Promise<StatsAnswer>;
}

/** The member refuses our identity the figures. */
export class StatsDenied extends Error {
  constructor(options: { readonly cause: unknown }) {
    super('the member does not allow to read its kubelets', options);
    this.name = 'StatsDenied';
  }
}

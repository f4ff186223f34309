import type { Request, Response } from 'express';
import type { Pod } from '../../apis/core.js';
import type { Member } from '../cluster/member.js';
import type { VirtualNodeSpec } from '../cluster/virtual-node-spec.js';

/** A virtual node as the endpoints of its kubelet API see it; what it says is as fresh as the caches are. */
export interface ServedNode {
  /** Name of the Node object in the host. */
  readonly name: string;
  /** Name of the Cluster that it belongs to. */
  readonly cluster: string;
  /** The connection to the member behind it; undefined while there is none, which a handler must expect at any time. */
  readonly member: Member | undefined;
  /** What part of the member it stands for; undefined without a member, or when the Cluster no longer asks for the node. */
  readonly spec: VirtualNodeSpec | undefined;
  /** The host's pods that are bound to this node, terminating ones included. */
  hostPods(): readonly Pod[];
  /** The host's pod of that name, if it is bound to this node. */
  hostPod(namespace: string, name: string): Pod | undefined;
  /** The member's copy of a host pod: ours, and made for that very UID. Undefined while there is none. */
  memberPod(hostPod: Pod): Pod | undefined;
}

/** One request that has been authenticated and authorized, and its answer. */
export interface NodeExchange {
  readonly request: Request;
  readonly response: Response;
  /** Aborted when the client has gone or the server stops; requests to the member should end with it. */
  readonly signal: AbortSignal;
}

/**
 * Answers one request. It may throw {@link EndpointError} for an answer in words; any other error is logged and becomes
 * HTTP 500, or a cut connection when the answer has begun.
 */
export type NodeHandler = (node: ServedNode, exchange: NodeExchange) => Promise<void> | void;

/** Where an endpoint says which paths it answers. */
export interface NodeRoutes {
  /** `path` is express' syntax: `/stats/summary`, `/containerLogs/:namespace/:pod/:container`. */
  get(path: string, handler: NodeHandler): void;
  post(path: string, handler: NodeHandler): void;
  /** Any method. */
  all(path: string, handler: NodeHandler): void;
}

/**
 * A part of the kubelet API. It is registered once and serves all virtual nodes; requests reach it only after they were
 * authenticated and authorized by kubelet's rules, which go by path (`/stats` needs `nodes/stats`, and so on).
 */
export interface NodeEndpoint {
  register(routes: NodeRoutes): void;
}

/** An answer with an HTTP status and a plain text, as kubelet gives them. */
export class EndpointError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'EndpointError';
    this.statusCode = statusCode;
  }
}

import type { Namespace, Pod } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import type { KubeTransport } from '../../kube/transport.js';
import type { Logger } from '../../lib/logger.js';
import type { ClassNames } from './member-classes.js';
import type { MemberNamespaces } from './namespaces.js';
import type { ClusterConfig } from './options.js';
import type { Ownership } from './ownership.js';
import type { PodNeeds } from './pod-needs.js';
import type { Probe } from './probe.js';

/** A node of the member that stands behind a virtual node. */
export interface NodeBehind {
  readonly name: string;
  readonly ready: boolean;
}

/** Requests whose answers are read as they come in, on connections of their own. Every replica may send them. */
export type MemberStreams = Pick<KubeTransport, 'stream' | 'upgrade'>;

/** A joined member while it is connected: what all features share. Made anew when its kubeconfig or settings change. */
export interface Member {
  readonly config: ClusterConfig;
  readonly ownership: Ownership;
  /** Writes only while this process leads. */
  readonly client: KubeClient;
  readonly streams: MemberStreams;
  readonly probe: Probe;
  /** Our pods in the member. */
  readonly pods: Informer<Pod>;
  /** All namespaces of the member, trimmed. */
  readonly namespaces: Informer<Namespace>;
  readonly namespaceMaker: MemberNamespaces;
  readonly logger: Logger;
  /** Classes that pods may refer to there. */
  readonly classNames?: ClassNames;
  /** Keys of all labels of its nodes; undefined while they are not known. */
  readonly nodeLabelKeys?: ReadonlySet<string> | undefined;
  /** The nodes behind one of its virtual nodes, in order of their names; undefined while they are not known. */
  nodesBehind?(virtualNode: string): readonly NodeBehind[] | undefined;
  /** What is asked for the things that pods need there, before each is made. */
  readonly needs: readonly PodNeeds[];
  /** The Cluster is being deleted, or its tree was switched off: nothing new is made any more. */
  readonly leaving: boolean;
  /** To be called when what a module reports has changed. */
  changed(): void;
}

/** What a module knows that belongs into the Cluster's status. */
export interface ModuleReport {
  /** Virtual nodes that can't be made, one message each. */
  readonly conflicts: readonly string[];
  /** Nodes of the member. */
  readonly nodes: { readonly ready: number; readonly total: number };
}

/** What a feature does for one member. */
export interface MemberModule {
  /** Whether its caches are complete. */
  readonly synced: boolean;
  /** Why its caches can't be filled or kept up to date. */
  readonly problem?: string | undefined;
  readonly report?: ModuleReport;
  /** Keys of all labels of the member's nodes, from the module that knows them. */
  readonly nodeLabelKeys?: ReadonlySet<string> | undefined;
  /** The nodes behind a virtual node, from the module that knows them; undefined while it doesn't. */
  nodesBehind?(virtualNode: string): readonly NodeBehind[] | undefined;
  /** Present in modules that provide what pods need. */
  readonly needs?: PodNeeds | undefined;
  /** Keeps caches warm, on every replica, until aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Writes, on the leader only, until aborted. May be called again after it ended. */
  lead(signal: AbortSignal): Promise<void>;
}

/** A part of ClusterTree that does something for each member: virtual nodes, pods, ... */
export interface MemberFeature {
  readonly name: string;
  open(member: Member): MemberModule;
}

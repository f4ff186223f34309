import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { HostApiAddress } from '../../clustertree/cluster/host-api.js';
import { type PortRange } from '../../clustertree/cluster/kubelet-ports.js';
import type { KubeletObserver } from '../../clustertree/kubelet/observer.js';
import type { ServingMode } from '../../clustertree/kubelet/serving-secret.js';
import type { StatsObserver } from '../../clustertree/kubelet/stats/member-stats.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { RequestObserver } from '../../kube/request-observer.js';
import type { WriteGate } from '../../kube/write-gate.js';
import type { Clock, Random } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { EventRecorder } from '../../runtime/event-recorder.js';

export interface ClusterTreeOptions {
  /** UID of the host's kube-system namespace. */
  readonly hostClusterUid: string;
  /** Writes only while this process leads, as all clients below. */
  readonly host: KubeClient;
  /** Run by who made it. */
  readonly clusters: Informer<Cluster>;
  /** For heartbeats. */
  readonly leaseClient: KubeClient;
  /** For what may wait. */
  readonly lowPriorityHost: KubeClient;
  readonly gate: WriteGate;
  readonly createInformer: InformerFactory;
  readonly createController: ControllerFactory;
  readonly recorder: EventRecorder;
  readonly onEventDropped: (cluster: string) => void;
  /** A Cluster is gone, and so is its connection. */
  readonly onClusterGone: (cluster: string) => void;
  readonly observeRequest: RequestObserver;
  readonly kubelet: KubeletSettings;
  /** For reviews of who may use the kubelet API; every replica sends them. */
  readonly reviewClient: KubeClient;
  readonly kubeletObserver: KubeletObserver;
  readonly statsObserver: StatsObserver;
  readonly reservedNamespaces: readonly string[];
  /** Where pods in members reach the host's API server, unless their Cluster says otherwise. */
  readonly hostApi: HostApiAddress | undefined;
  /** The part of its life after which a token is renewed, between 0 and 1. */
  readonly tokenRenewalFraction: number;
  /** Told for how many seconds the token in a member that is nearest to its end is good. */
  readonly onTokenExpiry: (cluster: string, seconds: number | undefined) => void;
  /** Told when the managers' own token for a member expires. */
  readonly onMemberTokenExpiry: (cluster: string, expiresAtMs: number | undefined) => void;
  readonly memberLimits: { readonly qps: number; readonly burst: number };
  readonly allowExecCredentials: boolean;
  /** Exclude DaemonSets from virtual nodes that were there before us; that restarts their pods. */
  readonly excludeExistingDaemonSets: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How the kubelet API of virtual nodes is served. */
export interface KubeletSettings {
  /** IP addresses that virtual nodes publish, at most one of each family. */
  readonly addresses: readonly string[];
  readonly ports: PortRange;
  /** Where to listen; everywhere when undefined. */
  readonly listenAddress: string | undefined;
  readonly certificates: ServingMode;
  /** Where the serving certificates are kept. */
  readonly namespace: string;
  /** How long to take new connections after the end was asked for. */
  readonly lingerMs: number;
}

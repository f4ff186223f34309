import type { Namespace, Node, Pod, Service } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { ObjectKey } from '../../kube/resource.js';
import type { Store } from '../../kube/store.js';
import type { Clock } from '../../lib/clock.js';
import type { EventSink } from '../../runtime/event-sink.js';
import type { HostApiAddress } from '../cluster/host-api.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { Member } from '../cluster/member.js';
import type { NamespacePolicy } from './namespace-policy.js';
import type { AddressRules } from './published-address.js';

/** What pods need to know of the host beside themselves. */
export interface HostCaches {
  readonly pods: HostPods;
  readonly nodes: Store<Node>;
  readonly namespaces: Store<Namespace>;
  /** Services of a namespace, for the environment of its pods. */
  readonly servicesIn: (namespace: string) => readonly Service[];
  /** By which addresses others reach the pods of a Cluster; by their own when undefined. */
  readonly addressesOf?: (cluster: string) => AddressRules | undefined;
}

/** What the pods of one member are reconciled with. */
export interface PodReconcilerOptions {
  readonly host: KubeClient;
  readonly caches: HostCaches;
  readonly member: Member;
  /** Whether the caches of both sides can be acted on. */
  readonly isCurrent: () => { readonly host: boolean; readonly member: boolean };
  /** Called with a key that can't be judged before that changes; it is to be queued again then. */
  readonly onWaiting: (key: ObjectKey) => void;
  readonly namespacePolicy: NamespacePolicy;
  /** Where pods of all members reach the host's API server; a Cluster may say otherwise. */
  readonly hostApi?: HostApiAddress | undefined;
  readonly events: EventSink<Pod>;
  readonly clock: Clock;
}

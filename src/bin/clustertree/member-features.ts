import { createCredentialFeature } from '../../clustertree/cluster/credential-renewal.js';
import type { KubeletPorts } from '../../clustertree/cluster/kubelet-ports.js';
import type { MemberFeature } from '../../clustertree/cluster/member.js';
import { createNamespaceFeature } from '../../clustertree/cluster/namespace-feature.js';
import type { HostContents } from '../../clustertree/config/host-contents.js';
import { createConfigFeature } from '../../clustertree/config/module.js';
import type { HostClock } from '../../clustertree/identity/host-clock.js';
import { createIdentityFeature } from '../../clustertree/identity/module.js';
import type { SigningKeys } from '../../clustertree/identity/signing-keys.js';
import { createNodeFeature } from '../../clustertree/node/module.js';
import { createPodFeature } from '../../clustertree/pod/module.js';
import { addressRules } from '../../clustertree/pod/published-address.js';
import { createStorageFeature } from '../../clustertree/storage/module.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { claims, pods, volumes } from '../../kube/resource.js';
import type { StringPool } from '../../lib/string-pool.js';
import { createEventSink } from '../../runtime/event-sink.js';
import type { HostObjects } from './host-objects.js';
import type { ClusterTreeOptions } from './options.js';

/** What all members share. */
export interface SharedParts {
  readonly objects: HostObjects;
  readonly contents: HostContents;
  readonly hostClock: HostClock;
  readonly signingKeys: SigningKeys;
  readonly ports: KubeletPorts;
  /** Of all cached pods: those of one Deployment, and the two of a pair, are much alike. */
  readonly strings: StringPool;
}

/** What is done in each member. */
export function memberFeatures(options: ClusterTreeOptions, parts: SharedParts): readonly MemberFeature[] {
  const { host, clock, random, logger, createInformer, createController, kubelet, recorder } = options;
  const { objects, ports } = parts;
  const { nodes: hostNodes, namespaces: hostNamespaces, pods: hostPods, storage: hostStorage } = objects;
  const common = { host, clock, random, createInformer, createController, hostPods };
  return [
    createNodeFeature({
      ...{ host, hostNodes, hostPods, createInformer, createController, clock, leaseClient: options.leaseClient },
      kubelet: { addresses: kubelet.addresses, portOf: (node) => ports.portOf(node) },
    }),
    createNamespaceFeature({
      ...{ host, hostNamespaces, createController },
      report: (cluster, message) => reportNamespace(options, cluster, message),
    }),
    createStorageFeature({
      ...{ ...common, hostNamespaces, hostStorage, logger },
      claimEvents: createEventSink(recorder, claims),
      volumeEvents: createEventSink(recorder, volumes),
      podEvents: createEventSink(recorder, pods),
    }),
    createCredentialFeature({ host, clock, onExpiry: options.onMemberTokenExpiry }),
    createConfigFeature({
      ...common,
      hostConfigMaps: objects.configMaps,
      hostSecrets: objects.secrets,
      contents: parts.contents,
    }),
    createIdentityFeature({
      ...{ ...common, hostClock: parts.hostClock, signingKeys: parts.signingKeys },
      renewalFraction: options.tokenRenewalFraction,
      onExpiry: options.onTokenExpiry,
    }),
    podFeature(options, objects),
  ];
}

function podFeature(options: ClusterTreeOptions, objects: HostObjects): MemberFeature {
  const { host, clock, random, logger, createController, recorder, lowPriorityHost, hostApi } = options;
  const { reservedNamespaces, onEventDropped } = options;
  const { nodes, namespaces: hostNamespaces } = objects;
  return createPodFeature({
    ...{ host, lowPriorityHost, hostNamespaces, createController, reservedNamespaces, onEventDropped, hostApi },
    ...{ clock, random, logger },
    events: createEventSink(recorder, pods),
    caches: {
      pods: objects.pods,
      nodes: nodes.store,
      namespaces: hostNamespaces.store,
      servicesIn: (namespace) => objects.servicesFor(namespace),
      addressesOf: (cluster) => addressRules(options.clusters.store.get(cluster)),
    },
  });
}

function reportNamespace(options: ClusterTreeOptions, cluster: string, message: string): void {
  const object = options.clusters.store.get(cluster);
  if (object !== undefined) createEventSink(options.recorder, clusters).warn(object, 'NamespaceKept', message);
}

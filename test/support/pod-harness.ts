import type { Namespace, Node, Pod } from '../../src/apis/core.js';
import { HostPods, type HostPodScope } from '../../src/clustertree/cluster/host-pods.js';
import type { HostCaches } from '../../src/clustertree/pod/reconciler-options.js';
import type { Informer } from '../../src/kube/informer.js';
import { namespaces, nodes, pods } from '../../src/kube/resource.js';
import { MemberHarness, ownPod, virtualNode } from './member-harness.js';

export const NODE = 'kosmos-member1';
export const WEB = { namespace: 'shop', name: 'web' } as const;

/** A harness with one virtual node, the namespace `shop`, and the caches that the pod feature reads. */
export class PodHarness extends MemberHarness {
  readonly nodeCache: Informer<Node>;
  readonly hostNamespaces: Informer<Namespace>;
  readonly hostPods: HostPods;

  constructor() {
    super();
    this.host.seed(nodes, virtualNode(NODE));
    this.host.seed(namespaces, { metadata: { name: 'shop', uid: 'ns-uid' } });
    this.nodeCache = this.hostNodes();
    this.hostNamespaces = this.watch(this.host, namespaces);
    const createInformer = (scope: HostPodScope): Informer<Pod> => {
      const fieldSelector = 'node' in scope ? `spec.nodeName=${scope.node}` : 'spec.nodeName!=';
      return this.createInformer({ client: this.host, type: pods, fieldSelector });
    };
    this.hostPods = new HostPods({ createInformer, hostNodes: this.nodeCache, logger: this.logger });
    this.hostPods.setNodes('member1', new Set([NODE]));
    this.track(this.hostPods.run(this.signal));
  }

  get caches(): HostCaches {
    return {
      pods: this.hostPods,
      nodes: this.nodeCache.store,
      namespaces: this.hostNamespaces.store,
      servicesIn: () => [],
    };
  }

  /** A pod of the host on the virtual node. */
  addHostPod(more: Partial<Pod> = {}): Pod {
    return this.host.seed(pods, {
      spec: { nodeName: NODE, containers: [{ name: 'app', image: 'app:1' }], terminationGracePeriodSeconds: 20 },
      ...more,
      metadata: { ...WEB, uid: 'host-uid', generation: 1, ...more.metadata },
    });
  }

  /** Its copy in the member. */
  addMemberPod(more: Partial<Pod> = {}, hostUid = 'host-uid'): Pod {
    const metadata = { ...ownPod('shop/web', hostUid).metadata, uid: 'member-uid', ...more.metadata };
    return this.client.seed(pods, { ...ownPod('shop/web', hostUid, more), metadata });
  }

  hostPod(): Pod | undefined {
    return this.host.peek(pods, WEB);
  }

  memberPod(): Pod | undefined {
    return this.client.peek(pods, WEB);
  }

  /** `verb resource/subresource` of each write to a cluster. */
  writes(cluster: 'host' | 'member'): string[] {
    const calls = cluster === 'host' ? this.host.calls : this.client.calls;
    return calls
      .filter(({ verb }) => verb === 'create' || verb === 'patch' || verb === 'delete')
      .map(({ verb, resource, subresource }) => `${verb} ${resource}${subresource ? `/${subresource}` : ''}`);
  }

  /** Reads of single objects in a cluster. */
  reads(cluster: 'host' | 'member'): number {
    return (cluster === 'host' ? this.host : this.client).callsOf({ verb: 'get' }).length;
  }
}

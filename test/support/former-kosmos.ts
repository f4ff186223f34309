import { readFileSync } from 'node:fs';
import type { ConfigMap, KubeObject, Node, PersistentVolume, Pod, Secret } from '../../src/apis/core.js';
import type { Cluster } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import { daemonSets, deployments } from '../../src/kosmosctl/objects.js';
import type { KubeClient } from '../../src/kube/client.js';
import { clusters } from '../../src/kube/kosmos-resources.js';
import { claims, configMaps, leases, nodes, pods, secrets, volumes } from '../../src/kube/resource.js';
import { microTime } from '../../src/lib/micro-time.js';
import type { Federation } from './federation.js';
import { IMAGE } from './workloads.js';

/** User agent, and so field manager, of Kosmos in Go. */
const BY = { fieldManager: 'clustertree-cluster-manager' } as const;
const GLOBAL = { 'kosmos.io/global': 'true' } as const;
const SYSTEM = 'kosmos-system';

/** The CRD as Kosmos in Go has it, shortened: without status subresource, and with a field that has gone since. */
const CLUSTER_CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'clusters.kosmos.io' },
  spec: {
    group: 'kosmos.io',
    scope: 'Cluster',
    names: { kind: 'Cluster', listKind: 'ClusterList', plural: 'clusters', singular: 'cluster' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

/** Plays Kosmos in Go for one member: leaves in host and member what it leaves there. */
export class FormerKosmos {
  readonly #federation: Federation;
  readonly #member: string;
  readonly #namespace: string;

  constructor(federation: Federation, member: string, namespace: string) {
    this.#federation = federation;
    this.#member = member;
    this.#namespace = namespace;
  }

  get node(): string {
    return `kosmos-${this.#member}`;
  }

  get #host(): KubeClient {
    return this.#federation.host;
  }

  get #inMember(): KubeClient {
    return this.#federation.client(this.#member);
  }

  /** CRD, Clusters, components and the virtual node. */
  async install(): Promise<void> {
    const { lab } = this.#federation;
    await lab.host.kubectl(['apply', '-f', '-'], { input: JSON.stringify(CLUSTER_CRD) });
    await lab.host.kubectl(['wait', '--for=condition=established', 'crd/clusters.kosmos.io']);
    for (const cluster of ['host', this.#member]) await this.#federation.namespace(SYSTEM, cluster);
    await this.#host.create(deployments, workload('Deployment', 'clustertree-cluster-manager'));
    await this.#inMember.create(deployments, workload('Deployment', 'clusterlink-controller-manager'));
    await this.#inMember.create(daemonSets, workload('DaemonSet', 'clusterlink-agent'));
    await this.#host.create(clusters, this.#cluster('kosmos-control-cluster', 'host'), BY);
    await this.#host.create(clusters, this.#cluster(this.#member, this.#member), BY);
    await this.#makeNode();
  }

  #cluster(name: string, of: string): Cluster {
    const kubeconfig = readFileSync(this.#federation.lab.cluster(of).kubeconfigPath).toString('base64');
    const isRoot = of === 'host';
    const clusterLinkOptions = {
      ...{ enable: false, cni: 'calico', ipFamily: 'ipv4', defaultNICName: '*', former: true },
      networkType: 'gateway' as const,
      bridgeCIDRs: { ip: '220.0.0.0/8', ip6: '9480::0/16' },
      localCIDRs: { ip: '210.0.0.0/8', ip6: '9470::0/16' },
    };
    return {
      apiVersion: 'kosmos.io/v1alpha1',
      kind: 'Cluster',
      metadata: {
        name,
        annotations: isRoot ? { 'kosmos.io/cluster-role': 'root' } : {},
        finalizers: ['kosmos.io/cluster-manager', 'kosmos.io/cluster-start-finalizer'],
      },
      spec: { kubeconfig, namespace: SYSTEM, clusterTreeOptions: { enable: !isRoot }, clusterLinkOptions },
    };
  }

  async #makeNode(): Promise<void> {
    const now = new Date().toISOString();
    const capacity = { cpu: '64', memory: '128Gi', pods: '100' };
    const status = {
      ...{ capacity, allocatable: capacity },
      nodeInfo: { operatingSystem: 'linux', architecture: 'amd64', kubeletVersion: 'v1.30.0' } as never,
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      conditions: [
        { ...{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: '' }, lastHeartbeatTime: now },
      ],
    };
    const node: Node = {
      metadata: {
        name: this.node,
        labels: {
          ...{ 'kosmos.io/node': 'true', 'kubernetes.io/role': 'agent', 'kubernetes.io/hostname': this.node },
          ...{ 'kubernetes.io/arch': 'amd64', 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/os': 'linux' },
        },
        annotations: { 'kosmos-io/owned-by-cluster': this.#member, leafNodeMode: 'one2cluster' },
      },
      spec: { taints: [{ key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' }] },
      status,
    };
    await this.#host.create(nodes, node, BY);
    const lease = {
      metadata: { namespace: 'kube-node-lease', name: this.node },
      spec: { holderIdentity: this.node, leaseDurationSeconds: 40, renewTime: microTime(Date.now()) },
    };
    await this.#host.create(leases, lease, BY);
  }

  /** A copy of the host's ConfigMap or Secret. */
  async copyConfig(kind: 'configmap' | 'secret', name: string, memberName = name): Promise<void> {
    const ref = { namespace: this.#namespace, name };
    const annotations = { 'kosmos-io/cluster-owners': this.#member };
    const type = kind === 'configmap' ? configMaps : secrets;
    const host = await this.#host.patch(type, ref, { metadata: { annotations } }, { type: 'merge', ...BY });
    const { data, type: secretType } = host as ConfigMap & Secret;
    await this.#inMember.create<ConfigMap & Secret>(
      type,
      {
        metadata: { namespace: this.#namespace, name: memberName, annotations: { ...annotations, ...GLOBAL } },
        ...(kind === 'secret' && { type: secretType }),
        data,
      },
      BY,
    );
  }

  /** What the pods' tokens are, for service account `default`. */
  async copyToken(): Promise<void> {
    const annotations = { ...GLOBAL, 'kosmos.io/service-account.name': 'default' };
    const metadata = { namespace: this.#namespace, name: 'kosmos-default-token', annotations };
    const data = { token: Buffer.from('a-token-that-does-not-expire').toString('base64') };
    await this.#inMember.create(secrets, { metadata, type: 'Opaque', data }, BY);
  }

  /** A claim of the host with its volume in the member, both bound. */
  async makeClaim(name: string, volume: string): Promise<void> {
    const { metadata } = await this.#host.create(claims, this.#claim(name, volume));
    const spec = volumeSpec(this.#namespace, name);
    const source: PersistentVolume = {
      metadata: { name: volume, annotations: { 'pv.kubernetes.io/provisioned-by': 'rancher.io/local-path' } },
    };
    await this.#inMember.create(volumes, { ...source, spec });
    const expression = { key: 'kubernetes.io/hostname', operator: 'In', values: [this.node] };
    await this.#host.create(
      volumes,
      {
        metadata: {
          ...source.metadata,
          annotations: { ...source.metadata?.annotations, 'kosmos-io/cluster-owners': this.#member },
          finalizers: ['kubernetes.io/pv-protection', 'external-provisioner.volume.kubernetes.io/finalizer'],
        },
        spec: {
          ...spec,
          claimRef: { ...spec.claimRef, uid: metadata?.uid },
          nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
        },
      },
      BY,
    );
    const copy = this.#claim(name, volume);
    await this.#inMember.create(claims, { ...copy, metadata: { ...copy.metadata, annotations: GLOBAL } }, BY);
  }

  #claim(name: string, volumeName: string) {
    return {
      metadata: { namespace: this.#namespace, name },
      spec: {
        ...{ accessModes: ['ReadWriteOnce'], storageClassName: '', volumeName },
        resources: { requests: { storage: '1Gi' } },
      },
    };
  }

  /** The member pod, translated as `FitPod` does it. */
  copyPod(hostPod: Pod): Promise<Pod> {
    const { namespace, name, labels, annotations, finalizers } = hostPod.metadata ?? {};
    const { nodeName: _node, tolerations: _some, nodeSelector: _selector, volumes: all = [], ...spec } = hostPod.spec!;
    const isToken = (volume: string): boolean => volume.startsWith('kube-api-access');
    const containers = spec.containers.map((container) => ({
      ...container,
      env: [...(container.env ?? []), { name: 'KUBERNETES_SERVICE_HOST', value: '10.96.0.1' }],
    }));
    const tokens = all.filter((volume) => isToken(volume.name)).map((volume) => ({ name: volume.name, ...PROJECTED }));
    const pod: Pod = {
      metadata: {
        ...{ namespace, name, finalizers },
        labels: { ...labels, 'kosmos-io/pod': 'true' },
        annotations: { ...annotations, 'kosmos-io/tripped': '{}' },
      },
      spec: {
        ...{ ...spec, containers, automountServiceAccountToken: false },
        volumes: [...all.filter((volume) => !isToken(volume.name)), ...tokens],
      },
    };
    return this.#inMember.create(pods, pod, BY);
  }

  /** What a CNI writes on a pod of the member. */
  async annotatePod(name: string, annotations: Readonly<Record<string, string>>): Promise<void> {
    const ref = { namespace: this.#namespace, name };
    await this.#inMember.patch(pods, ref, { metadata: { annotations } }, { type: 'merge', fieldManager: 'calico' });
  }

  /** The member pod's whole status to the host, and its metadata with it. */
  async reportStatus(name: string): Promise<Pod> {
    const ref = { namespace: this.#namespace, name };
    const { metadata, status } = await this.#inMember.get(pods, ref);
    const hostPod = await this.#host.get(pods, ref);
    const { labels, annotations, finalizers } = metadata ?? {};
    const wanted = { ...hostPod, metadata: { ...hostPod.metadata, labels, annotations, finalizers }, status };
    return this.#host.update(pods, wanted, { subresource: 'status', ...BY });
  }
}

const PROJECTED = {
  projected: {
    sources: [
      { secret: { name: 'kosmos-default-token', items: [{ key: 'token', path: 'token' }] } },
      { configMap: { name: 'master-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    ],
  },
};

function volumeSpec(namespace: string, name: string) {
  return {
    ...{ accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/tmp/former' } },
    ...{ persistentVolumeReclaimPolicy: 'Retain', storageClassName: '' },
    claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name },
  };
}

function workload(kind: 'Deployment' | 'DaemonSet', name: string): KubeObject {
  const labels = { app: name };
  const object = {
    ...{ apiVersion: 'apps/v1', kind, metadata: { namespace: SYSTEM, name } },
    spec: {
      ...(kind === 'Deployment' && { replicas: 1 }),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image: IMAGE }], terminationGracePeriodSeconds: 1 },
      },
    },
  };
  return object;
}

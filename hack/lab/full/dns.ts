import { LAB_IMAGES } from './images.js';

const COREFILE = `.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }
    cache 5
    reload 2s 1s
}
`;

const labels = { 'k8s-app': 'kube-dns' };
const named = (name: string): Record<string, unknown> => ({ name, namespace: 'kube-system', labels });

function role(): Record<string, unknown>[] {
  const verbs = ['list', 'watch'];
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:coredns' },
      rules: [
        { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'system:coredns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' },
      subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' }],
    },
  ];
}

function deployment(): Record<string, unknown> {
  const container = {
    name: 'coredns',
    image: LAB_IMAGES.coredns,
    imagePullPolicy: 'Never',
    args: ['-conf', '/etc/coredns/Corefile'],
    volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
    readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
  };
  const spec = {
    serviceAccountName: 'coredns',
    dnsPolicy: 'Default',
    priorityClassName: 'system-cluster-critical',
    tolerations: [{ operator: 'Exists' }],
    // A virtual node must not get the cluster's own DNS server.
    nodeSelector: { 'kosmos.io/lab-node': 'true' },
    containers: [container],
    volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: named('coredns'),
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

/** The objects that give a cluster its DNS server. */
export function dnsManifests(serviceAddress: string): Record<string, unknown> {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  const service = { clusterIP: serviceAddress, selector: labels, ports };
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named('coredns') },
    ...role(),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: named('coredns'), data: { Corefile: COREFILE } },
    { apiVersion: 'v1', kind: 'Service', metadata: named('kube-dns'), spec: service },
    deployment(),
  ];
  return { apiVersion: 'v1', kind: 'List', items };
}

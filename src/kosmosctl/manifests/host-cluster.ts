import { CLUSTER_ROLE_ANNOTATION, CLUSTER_ROLE_ROOT } from '../../apis/names.js';
import { HOST_CLUSTER, MANAGER_LABELS } from './labels.js';
import { value, type TemplateMap } from './template.js';

/** The host's own entry, which links its network with those of members; it needs no kubeconfig. */
export const HOST_CLUSTER_MANIFEST: TemplateMap = {
  apiVersion: 'kosmos.io/v1alpha1',
  kind: 'Cluster',
  metadata: {
    name: HOST_CLUSTER,
    labels: MANAGER_LABELS,
    annotations: {
      [CLUSTER_ROLE_ANNOTATION]: CLUSTER_ROLE_ROOT,
      // Helm would remove the managers with it, and they have to clean up first.
      'helm.sh/resource-policy': 'keep',
    },
  },
  spec: {
    clusterLinkOptions: value('clusterLink.options'),
    clusterTreeOptions: { enable: false },
  },
};

import type { KubeObject } from '../../apis/core.js';
import type { ResourceType } from '../../kube/resource.js';

/** A kind of objects that Kosmos in Go serves and this program doesn't. */
export interface FormerKind {
  readonly type: ResourceType<KubeObject>;
  readonly why: string;
}

const CONVERSION = 'pods that run keep what it did; new ones are not converted: see docs/reference/pod-fields.md';
const DISTRIBUTION = 'only kosmos-scheduler reads it; say where pods run with node affinity, for the stock scheduler';
const DAEMONS = 'nobody looks after it any more; its pods in members stay';

function kindOf(kind: string, plural: string, namespaced: boolean, why: string): FormerKind {
  return { type: { apiVersion: 'kosmos.io/v1alpha1', kind, plural, namespaced }, why };
}

export const FORMER_KINDS: readonly FormerKind[] = [
  kindOf('PodConvertPolicy', 'podconvertpolicies', true, CONVERSION),
  kindOf('ClusterPodConvertPolicy', 'clusterpodconvertpolicies', false, CONVERSION),
  kindOf('DistributionPolicy', 'distributionpolicies', true, DISTRIBUTION),
  kindOf('ClusterDistributionPolicy', 'clusterdistributionpolicies', false, DISTRIBUTION),
  kindOf('DaemonSet', 'daemonsets', true, DAEMONS),
];

import type { KubeObject } from '../../apis/core.js';
import { accessManifests } from './access.js';
import { agentManifests } from './agent.js';
import { HOST_CLUSTER_MANIFEST } from './host-cluster.js';
import { HOST_CLUSTER } from './labels.js';
import { DEPLOYMENT, DISRUPTION_BUDGET, KUBELET_SERVICE } from './manager.js';
import { AGENT_POD_MONITOR, ALERT_RULES, POD_MONITOR } from './monitoring.js';
import { holds, resolve, type TemplateMap } from './template.js';
import type { InstallContext, InstallValues } from './values.js';

/** One object of an installation. */
export interface ManifestTemplate {
  /** File of the chart that it is in. */
  readonly file: string;
  /** What it depends on; a condition of template.ts. */
  readonly when?: string;
  readonly object: TemplateMap;
}

/** Everything that is installed in the host beside CRDs and namespace, in the order in which it is applied. */
export const INSTALLATION: readonly ManifestTemplate[] = [
  ...accessManifests().map((object) => ({ file: 'access.yaml', object })),
  { file: 'service.yaml', when: 'clusterTree.enabled && kubelet.service', object: KUBELET_SERVICE },
  { file: 'disruption-budget.yaml', when: 'podDisruptionBudget', object: DISRUPTION_BUDGET },
  { file: 'deployment.yaml', object: DEPLOYMENT },
  ...agentManifests(HOST_CLUSTER).map((object) => ({ file: 'agent.yaml', when: 'clusterLink.enabled', object })),
  { file: 'host-cluster.yaml', when: 'clusterLink.enabled', object: HOST_CLUSTER_MANIFEST },
  { file: 'monitoring.yaml', when: 'podMonitor', object: POD_MONITOR },
  { file: 'monitoring.yaml', when: 'podMonitor && clusterLink.enabled', object: AGENT_POD_MONITOR },
  { file: 'monitoring.yaml', when: 'alertRules', object: ALERT_RULES },
];

/** An object with all that is needed to apply it. */
export type Manifest = KubeObject & Readonly<Record<string, unknown>>;

/** The objects of an installation with these settings; without CRDs and namespace. */
export function renderInstallation(values: InstallValues, context: InstallContext): readonly Manifest[] {
  const settings = { ...values, ...context };
  return INSTALLATION.filter((manifest) => manifest.when === undefined || holds(settings, manifest.when)).map(
    ({ object }) => resolve(object, settings) as Manifest,
  );
}

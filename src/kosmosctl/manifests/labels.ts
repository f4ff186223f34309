import { value, type TemplateMap } from './template.js';

/** Name of everything that belongs to the manager. */
export const MANAGER = 'kosmos-manager';
/** On all that an installation makes, so that it can be found again. */
export const PART_OF_LABEL = 'app.kubernetes.io/part-of';
export const PART_OF = 'kosmos';

/** Name of everything that belongs to the agents. */
export const AGENT = 'kosmos-agent';
/** The Cluster that stands for the host's own network, as Kosmos calls it. */
export const HOST_CLUSTER = 'kosmos-control-cluster';

/** What selects the manager's pods; never changes. */
export const MANAGER_SELECTOR = {
  'app.kubernetes.io/name': 'kosmos',
  'app.kubernetes.io/component': 'manager',
} as const;

export const VERSION_LABEL = 'app.kubernetes.io/version';

/** Labels of the manager's objects. */
export const MANAGER_LABELS: TemplateMap = {
  ...MANAGER_SELECTOR,
  [PART_OF_LABEL]: PART_OF,
  [VERSION_LABEL]: value('version'),
};

/** What selects the agents' pods; never changes. */
export const AGENT_SELECTOR = {
  'app.kubernetes.io/name': 'kosmos',
  'app.kubernetes.io/component': 'agent',
} as const;

/** Selects the agents' pods, as the API takes it. */
export const AGENT_PODS = selectorOf(AGENT_SELECTOR);
/** Selects the managers' pods. */
export const MANAGER_PODS = selectorOf(MANAGER_SELECTOR);

function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, content]) => `${key}=${content}`)
    .join(',');
}

/** Labels of the agents' objects. */
export const AGENT_LABELS: TemplateMap = { ...MANAGER_LABELS, ...AGENT_SELECTOR };

/** Metadata of an object in the namespace of the installation. */
export function namespaced(name: string, labels = MANAGER_LABELS): TemplateMap {
  return { name, namespace: value('namespace'), labels };
}

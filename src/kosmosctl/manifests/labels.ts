import { value, type TemplateMap } from './template.js';

/** Name of everything that belongs to the manager. */
export const MANAGER = 'kosmos-manager';
/** On all that an installation makes, so that it can be found again. */
export const PART_OF_LABEL = 'app.kubernetes.io/part-of';
export const PART_OF = 'kosmos';

/** What selects the manager's pods; never changes. */
export const MANAGER_SELECTOR = {
  'app.kubernetes.io/name': 'kosmos',
  'app.kubernetes.io/component': 'manager',
} as const;

/** Labels of the manager's objects. */
export const MANAGER_LABELS: TemplateMap = {
  ...MANAGER_SELECTOR,
  [PART_OF_LABEL]: PART_OF,
  'app.kubernetes.io/version': value('version'),
};

/** Metadata of an object in the namespace of the installation. */
export function namespaced(name: string): TemplateMap {
  return { name, namespace: value('namespace'), labels: MANAGER_LABELS };
}

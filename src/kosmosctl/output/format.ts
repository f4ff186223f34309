import { stringify } from 'yaml';
import type { KubeObject } from '../../apis/core.js';

/** What kubectl and Helm read: a bare `on`, `yes` or `1:30` is no text there. */
const YAML_OF_GO = '1.1';

export const FORMATS = ['wide', 'json', 'yaml', 'name'] as const;
export type Format = (typeof FORMATS)[number];

/** Objects in one of the forms for machines. A single one stands for itself, several are in a List. */
export function renderObjects(objects: readonly KubeObject[], format: 'json' | 'yaml', single: boolean): string {
  const [first] = objects;
  const shown = single && first !== undefined ? first : { apiVersion: 'v1', kind: 'List', items: objects };
  return renderDocument(shown, format);
}

export function renderDocument(content: unknown, format: 'json' | 'yaml'): string {
  return format === 'json'
    ? `${JSON.stringify(content, undefined, 4)}\n`
    : stringify(content, { version: YAML_OF_GO, aliasDuplicateObjects: false });
}

/** Manifests one after the other, for `kubectl apply -f -`. */
export function renderManifests(manifests: readonly KubeObject[], format: 'json' | 'yaml'): string {
  if (format === 'json') return renderDocument({ apiVersion: 'v1', kind: 'List', items: manifests }, 'json');
  return manifests.map((manifest) => `---\n${renderDocument(manifest, 'yaml')}`).join('');
}

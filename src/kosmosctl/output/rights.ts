import type { Right } from '../rights/right.js';
import { renderTable } from './table.js';

/** Rights as a table, with what each is for. */
export function renderRights(rights: readonly Right[]): string {
  const rows = rights.map(({ apiGroups, resources, verbs, why }) => {
    const [group = ''] = apiGroups;
    const suffix = group === '' ? '' : `.${group}`;
    return [resources.map((resource) => `${resource}${suffix}`).join(' '), verbs.join(' '), why];
  });
  return renderTable(['RESOURCES', 'VERBS', 'WHAT FOR'], rows);
}

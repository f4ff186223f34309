import { isObject, type Json } from './fake-patch.js';

function matchesTerm(labels: Readonly<Record<string, string>>, term: string): boolean {
  const set = /^(?<key>\S+)\s+(?<op>in|notin)\s+\((?<values>[^)]*)\)$/.exec(term)?.groups;
  if (set !== undefined) {
    const value = labels[set['key'] ?? ''];
    const inside = value !== undefined && (set['values'] ?? '').split(',').some((one) => one.trim() === value);
    return inside === (set['op'] === 'in');
  }
  if (term.startsWith('!')) return !(term.slice(1).trim() in labels);
  const comparison = /^(?<key>[^=!\s]+)\s*(?<op>!=|==?)\s*(?<value>.*)$/.exec(term)?.groups;
  if (comparison === undefined) return term in labels;
  return (labels[comparison['key'] ?? ''] === comparison['value']) === (comparison['op'] !== '!=');
}

/** Kubernetes label selector syntax: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. */
export function matchesLabels(labels: Readonly<Record<string, string>>, selector: string | undefined): boolean {
  if (!selector) return true;
  return selector.split(/,(?![^(]*\))/).every((term) => matchesTerm(labels, term.trim()));
}

/** Field selectors `path=value` and `path!=value`, by looking the path up in the object. */
export function matchesFields(object: Json, selector: string | undefined): boolean {
  if (!selector) return true;
  return selector.split(',').every((term) => {
    const [path = '', value = ''] = term.split(/!=|==?/);
    let current: unknown = object;
    for (const step of path.split('.')) current = isObject(current) ? current[step] : undefined;
    return ((current ?? '') === value) !== term.includes('!=');
  });
}

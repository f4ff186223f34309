import { parse } from 'yaml';
import { ownValue } from '../../lib/own-value.js';
import { usageError } from '../failure.js';
import { DEFAULT_VALUES, type InstallValues } from '../manifests/values.js';

type Tree = Readonly<Record<string, unknown>>;

/** The defaults with what a file and single settings say; both may name only values that there are. */
export function mergeValues(file: string | undefined, settings: readonly string[]): InstallValues {
  let values: Tree = DEFAULT_VALUES as unknown as Tree;
  if (file !== undefined) values = merge(values, parseYaml('the file of values', file), '');
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at < 1) throw usageError(`--set ${setting}: is not path=value`, 'Write for instance --set replicas=1');
    const path = setting.slice(0, at).split('.');
    const value = parseYaml(`--set ${setting}`, setting.slice(at + 1));
    values = merge(
      values,
      path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value),
      '',
    );
  }
  return values as unknown as InstallValues;
}

/** Values that hold anything, for instance resources. */
const OPEN = new Set([
  ...['resources', 'nodeSelector', 'tolerations', 'image.pullSecrets', 'clusterLink.agent.resources'],
]);
/** Its fields are those of an object of Kubernetes, which only its CRD lists. */
const EXTENSIBLE = 'clusterLink.options';

function merge(base: Tree, changes: unknown, prefix: string): Tree {
  if (changes === null || changes === undefined) return base;
  if (typeof changes !== 'object' || Array.isArray(changes))
    throw usageError(`${prefix || 'the values'}: must be a map`);
  const merged: Record<string, unknown> = { ...base };
  for (const [key, change] of Object.entries(changes) as [string, unknown][]) {
    merged[key] = mergeField(base, key, change, prefix);
  }
  return merged;
}

function mergeField(base: Tree, key: string, change: unknown, prefix: string): unknown {
  const path = prefix === '' ? key : `${prefix}.${key}`;
  const old = ownValue(base, key);
  if (old === undefined && prefix === EXTENSIBLE) return change;
  if (old === undefined) throw usageError(`there is no value ${path}`, `There are: ${Object.keys(base).join(', ')}`);
  return isOpen(path, old) ? withChange(old, checked(path, old, change)) : merge(old as Tree, change, path);
}

/** As Helm has it: maps are merged, a null takes an entry away, and anything else is replaced as a whole. */
function withChange(old: unknown, change: unknown): unknown {
  if (!isTree(old) || !isTree(change)) return change;
  const changed = Object.entries(change).map(([key, value]) => [key, withChange(ownValue(old, key), value)] as const);
  return Object.fromEntries([...Object.entries(old), ...changed].filter(([key]) => ownValue(change, key) !== null));
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOpen(path: string, value: unknown): boolean {
  return OPEN.has(path) || typeof value !== 'object';
}

function checked(path: string, old: unknown, change: unknown): unknown {
  const wanted = Array.isArray(old) ? 'list' : typeof old === 'object' ? 'map' : typeof old;
  const given = Array.isArray(change) ? 'list' : change !== null && typeof change === 'object' ? 'map' : typeof change;
  if (wanted === given) return change;
  if (wanted === 'string' && (given === 'number' || given === 'boolean')) return String(change);
  throw usageError(`${path}: must be a ${wanted}, not a ${change === null ? 'null' : given}`);
}

function parseYaml(what: string, text: string): unknown {
  try {
    return parse(text, { logLevel: 'error' });
  } catch (error) {
    const [first = ''] = error instanceof Error ? error.message.split('\n') : [];
    throw usageError(`${what}: is no YAML: ${first.replace(/:$/, '')}`);
  }
}

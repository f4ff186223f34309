import { ApiError } from '../../src/kube/api-error.js';
import type { PatchType } from '../../src/kube/client.js';

/** A JSON object of unknown shape. */
export type Json = Record<string, unknown>;

/** Lists that a strategic merge patch merges by a key of their items; all other lists are replaced. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  conditions: 'type',
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  env: 'name',
  addresses: 'type',
  ownerReferences: 'uid',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  podIPs: 'ip',
  hostIPs: 'ip',
  secrets: 'name',
};

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else if (value !== undefined) result[key] = mergePatch(result[key], value);
  }
  return result;
}

function strategicList(current: unknown, patch: readonly unknown[], mergeKey: string): unknown[] {
  const result = Array.isArray(current) ? [...(current as unknown[])] : [];
  for (const item of patch) {
    if (!isObject(item)) continue;
    const at = result.findIndex((other) => isObject(other) && other[mergeKey] === item[mergeKey]);
    if (item['$patch'] === 'delete') {
      if (at >= 0) result.splice(at, 1);
    } else if (at >= 0) result[at] = strategicPatch(result[at], item);
    else result.push(strategicPatch({}, item));
  }
  return result;
}

function strategicValue(key: string, current: unknown, value: unknown): unknown {
  if (!Array.isArray(value)) return strategicPatch(current, value);
  const patch = value as readonly unknown[];
  if (key === 'finalizers') return [...new Set([...(Array.isArray(current) ? (current as unknown[]) : []), ...patch])];
  const mergeKey = MERGE_KEYS[key];
  if (mergeKey === undefined || patch.some((item) => isObject(item) && item['$patch'] === 'replace'))
    return patch.filter((item) => !isObject(item) || item['$patch'] !== 'replace');
  return strategicList(current, patch, mergeKey);
}

/** A simple strategic merge patch: maps merge, known lists merge by key, `$patch: delete|replace` in lists and maps. */
function strategicPatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const replace = patch['$patch'] === 'replace';
  const result: Json = isObject(target) && !replace ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$patch' || key.startsWith('$setElementOrder/') || key.startsWith('$retainKeys') || value === undefined)
      continue;
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const name = key.slice(key.indexOf('/') + 1);
      const gone = value as readonly unknown[];
      result[name] = ((result[name] ?? []) as unknown[]).filter((item) => !gone.includes(item));
    } else if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = strategicValue(key, result[key], value);
  }
  return result;
}

interface JsonOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

function invalid(message: string): ApiError {
  return new ApiError({ code: 422, reason: 'Invalid', message });
}

function listOperation(list: unknown[], index: string, { op, path, value }: JsonOperation): void {
  const at = index === '-' ? list.length : Number(index);
  if (op === 'add') list.splice(at, 0, value);
  else if (at >= list.length) throw invalid(`no such path: ${path}`);
  else if (op === 'remove') list.splice(at, 1);
  else if (op === 'replace') list[at] = value;
  else throw invalid(`cannot ${op} ${path}`);
}

function mapOperation(map: Json, key: string, { op, path, value }: JsonOperation): void {
  if (op !== 'add' && !(key in map)) throw invalid(`no such path: ${path}`);
  if (op === 'remove') Reflect.deleteProperty(map, key);
  else if (op === 'add' || op === 'replace') map[key] = value;
  else throw invalid(`cannot ${op} ${path}`);
}

function jsonOperation(document: unknown, operation: JsonOperation): void {
  const steps = operation.path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = steps.pop() ?? '';
  let parent = document;
  for (const step of steps) parent = (parent as Json | undefined)?.[step];
  if (operation.op === 'test') {
    const actual = (parent as Json | undefined)?.[last];
    if (JSON.stringify(actual) !== JSON.stringify(operation.value)) throw invalid(`test failed: ${operation.path}`);
  } else if (Array.isArray(parent)) listOperation(parent, last, operation);
  else if (isObject(parent)) mapOperation(parent, last, operation);
  else throw invalid(`no such path: ${operation.path}`);
}

/** The object after a patch. `apply` is taken as a strategic merge patch, which it equals for one field manager. */
export function applyPatch(target: Json, patch: unknown, type: PatchType): Json {
  const body: unknown = structuredClone(patch);
  if (type === 'merge') return mergePatch(target, body) as Json;
  if (type !== 'json') return strategicPatch(target, body) as Json;
  const result = structuredClone(target);
  for (const operation of body as readonly JsonOperation[]) jsonOperation(result, operation);
  return result;
}

type Fields = Record<string, unknown>;

/** Merge keys of the lists of a pod that a strategic merge patch merges; all others are replaced. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  conditions: 'type',
  hostIPs: 'ip',
  podIPs: 'ip',
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
};

/** Applies a strategic merge patch to a pod as an API server does, for the fields that this product patches. */
export function applyStrategic<T extends object>(target: T, patch: unknown): T {
  return mergeObject(target, JSON.parse(JSON.stringify(patch)) as Fields) as T;
}

function mergeObject(target: object, patch: Fields): Fields {
  const { $patch, ...fields } = patch;
  const result: Fields = $patch === 'replace' ? {} : { ...target };
  for (const [key, value] of Object.entries(fields)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = mergeValue(key, result[key], value);
  }
  return result;
}

function mergeValue(key: string, target: unknown, patch: unknown): unknown {
  if (Array.isArray(patch)) {
    const mergeKey = MERGE_KEYS[key];
    return mergeKey === undefined ? patch : mergeList((target ?? []) as Fields[], patch as Fields[], mergeKey);
  }
  if (typeof patch !== 'object') return patch;
  return mergeObject(target ?? {}, patch as Fields);
}

function mergeList(target: readonly Fields[], patch: readonly Fields[], mergeKey: string): Fields[] {
  const items = patch.filter((item) => item['$patch'] !== 'replace');
  if (items.length < patch.length) return items;
  const result = [...target];
  for (const item of items) {
    const index = result.findIndex((present) => present[mergeKey] === item[mergeKey]);
    if (item['$patch'] === 'delete') result.splice(index, index < 0 ? 0 : 1);
    else if (index < 0) result.push(mergeObject({}, item));
    else result[index] = mergeObject(result[index] ?? {}, item);
  }
  return result;
}

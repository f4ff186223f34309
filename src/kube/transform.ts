import type { KubeObject } from '../apis/core.js';

/** `kubectl apply` keeps the whole object a second time in here. */
const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The object without what no controller reads: managed fields and kubectl's copy of the object, together about a third
 * of the memory. The given object stays as it is.
 */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { metadata } = object;
  if (!metadata) return object;
  const { managedFields, annotations, ...rest } = metadata;
  const hasCopy = annotations !== undefined && LAST_APPLIED_ANNOTATION in annotations;
  if (managedFields === undefined && !hasCopy) return object;
  if (annotations === undefined) return { ...object, metadata: rest };
  const { [LAST_APPLIED_ANNOTATION]: _copy, ...others } = annotations;
  return { ...object, metadata: { ...rest, annotations: hasCopy ? others : annotations } };
}

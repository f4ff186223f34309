import type { KubeObject } from '../apis/core.js';
import { labelOf } from './fields.js';

/** On a namespace that the command line made, so that it may be removed again. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'kosmosctl';

/** Whether the command line has made the object, which else is somebody else's. */
export function isManaged(object: KubeObject): boolean {
  return labelOf(object, MANAGED_BY_LABEL) === MANAGED_BY;
}

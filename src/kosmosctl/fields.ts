import type { KubeObject } from '../apis/core.js';

/** A condition, of whatever kind of object. */
export interface AnyCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly lastTransitionTime?: string | undefined;
}

interface WithConditions {
  readonly status?: { readonly conditions?: readonly AnyCondition[] | undefined } | undefined;
}

/** A condition of an object, when it has it. */
export function conditionOf(object: WithConditions | undefined, type: string): AnyCondition | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

/** Whether the object's condition `Ready` is True. */
export function isReady(object: WithConditions | undefined): boolean {
  return conditionOf(object, 'Ready')?.status === 'True';
}

/** Empty for an object without name. */
export function nameOf(object: KubeObject | undefined): string {
  return object?.metadata?.name ?? '';
}

/** Undefined without the label. */
export function labelOf(object: KubeObject | undefined, label: string): string | undefined {
  return object?.metadata?.labels?.[label];
}

/** A text for people, also for what is not known. */
export function shown(value: string | number | undefined, otherwise = ''): string {
  return value === undefined ? otherwise : String(value);
}

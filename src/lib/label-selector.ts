import { isLabelKey, isLabelValue } from './label-syntax.js';
import { ownValue } from './own-value.js';

/** One condition of a {@link LabelSelector}; `operator` is a plain string because users write it. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

/** The `LabelSelector` of meta/v1: all conditions must hold, so an empty one selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly LabelRequirement[] | undefined;
}

export type Labels = Readonly<Record<string, string>>;

/** Selects every object. */
export const EVERYTHING: LabelSelector = {};

/** Whether the selector has no condition, so that it selects everything. */
export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}

/** All that is wrong with the selector, each problem with the path of its field under `path`; empty when valid. */
export function labelSelectorProblems(selector: LabelSelector, path: string): readonly string[] {
  const problems: string[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (!isLabelKey(key)) problems.push(`${path}.matchLabels: "${key}" is not a label key`);
    if (!isLabelValue(value)) problems.push(`${path}.matchLabels[${key}]: "${value}" is not a label value`);
  }
  (selector.matchExpressions ?? []).forEach((requirement, index) => {
    problems.push(...requirementProblems(requirement, `${path}.matchExpressions[${index}]`));
  });
  return problems;
}

function requirementProblems(requirement: LabelRequirement, path: string): readonly string[] {
  const problems: string[] = [];
  const values = requirement.values ?? [];
  if (!isLabelKey(requirement.key)) problems.push(`${path}.key: "${requirement.key}" is not a label key`);
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) problems.push(`${path}.values: ${requirement.operator} needs at least one value`);
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) problems.push(`${path}.values: ${requirement.operator} takes no values`);
      break;
    default:
      problems.push(`${path}.operator: "${requirement.operator}" is none of In, NotIn, Exists, DoesNotExist`);
  }
  for (const value of values) {
    if (!isLabelValue(value)) problems.push(`${path}.values: "${value}" is not a label value`);
  }
  return problems;
}

/** Whether a valid selector selects an object with these labels. */
export function matchesLabels(selector: LabelSelector, labels: Labels | undefined): boolean {
  const present = labels ?? {};
  return requirementsOf(selector).every((requirement) => holds(requirement, present));
}

function holds(requirement: LabelRequirement, labels: Labels): boolean {
  const value = ownValue(labels, requirement.key);
  const listed = value !== undefined && (requirement.values ?? []).includes(value);
  switch (requirement.operator) {
    case 'In':
      return listed;
    case 'NotIn':
      return !listed;
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** Every condition as a requirement: labels first, both in order of their keys. */
export function requirementsOf(selector: LabelSelector): readonly LabelRequirement[] {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: 'In',
    values: [value],
  }));
  return [...labels.sort(byKey), ...[...(selector.matchExpressions ?? [])].sort(byKey)];
}

function byKey(left: LabelRequirement, right: LabelRequirement): number {
  if (left.key === right.key) return 0;
  return left.key < right.key ? -1 : 1;
}

/** A valid selector in the form of the `labelSelector` query parameter; empty for one that selects everything. */
export function renderLabelSelector(selector: LabelSelector): string {
  return requirementsOf(selector).map(renderRequirement).join(',');
}

function renderRequirement(requirement: LabelRequirement): string {
  const { key, operator } = requirement;
  const values = [...(requirement.values ?? [])].sort();
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${values.join('')}` : `${key} in (${values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    case 'Exists':
      return key;
    default:
      return `!${key}`;
  }
}

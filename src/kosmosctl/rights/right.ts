/** One rule of a Role or ClusterRole, with the reason for it. */
export interface Right {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
  /** What it is for; shown to whoever grants it. */
  readonly why: string;
  /** The settings that make it necessary, a condition of template.ts; always needed when absent. */
  readonly when?: string;
}

/** The same for paths that are no resources. */
export interface PathRight {
  readonly nonResourceURLs: readonly string[];
  readonly verbs: readonly string[];
  readonly why: string;
  readonly when?: string;
}

/** The fields of a rule as Kubernetes knows them. */
export function ruleOf(right: Right | PathRight): Readonly<Record<string, readonly string[]>> {
  if ('nonResourceURLs' in right) return { nonResourceURLs: right.nonResourceURLs, verbs: right.verbs };
  const { apiGroups, resources, verbs, resourceNames } = right;
  return { apiGroups, resources, ...(resourceNames !== undefined && { resourceNames }), verbs };
}

/** The same rights, needed only under one more condition. */
export function under<T extends Right | PathRight>(condition: string, rights: readonly T[]): readonly T[] {
  return rights.map((right) => ({ ...right, when: [condition, right.when].filter(Boolean).join(' && ') }));
}

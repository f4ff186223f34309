/** One rule of a Role or ClusterRole, with the reason for it. */
export interface Right {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
  /** What it is for; shown to whoever grants it. */
  readonly why: string;
  /** Path of the setting that makes it necessary; always needed when absent. */
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

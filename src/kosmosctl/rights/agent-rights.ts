import type { Right } from './right.js';

/** What the agents of a cluster may do there: nothing but read what is wanted, and say what they have done. */
export const AGENT_RIGHTS: readonly Right[] = [
  {
    ...{ apiGroups: ['kosmos.io'], resources: ['nodeconfigs'], verbs: ['list', 'watch'] },
    why: 'reads what is wanted of the network of its node',
  },
  {
    ...{ apiGroups: ['kosmos.io'], resources: ['nodeconfigs/status'], verbs: ['patch'] },
    why: 'says what of it is done',
  },
];

/** The same in their own namespace. */
export const AGENT_NAMESPACE_RIGHTS: readonly Right[] = [
  {
    ...{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'patch'] },
    why: 'shows that it is alive',
  },
];

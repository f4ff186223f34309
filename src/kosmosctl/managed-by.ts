/** On a namespace that the command line made, so that it may be removed again. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'kosmosctl';

/** What a request to a kubelet asks for, in the words of a SubjectAccessReview on the node. */
export interface AccessAttributes {
  /** API verb. */
  readonly verb: string;
  /** Subresources of `nodes`; one that is allowed is enough. */
  readonly subresources: readonly [string, ...string[]];
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** The fine-grained subresources of KEP-2862; `proxy` allows them too. */
const FINE_GRAINED: readonly (readonly [path: string, subresource: string])[] = [
  ['/pods', 'pods'],
  ['/healthz', 'healthz'],
  ['/configz', 'configz'],
  ['/runningpods', 'pods'],
];

/** Subresources of their own, which `proxy` does not allow. */
const SEPARATE: readonly (readonly [path: string, subresource: string])[] = [
  ['/stats', 'stats'],
  ['/metrics', 'metrics'],
  ['/logs', 'log'],
  ['/checkpoint', 'checkpoint'],
  ['/statusz', 'statusz'],
  ['/flagz', 'configz'],
];

/**
 * What kubelet asks the authorizer for a request (pkg/kubelet/server/auth.go). One rule is stricter: a session in a pod
 * always needs `create`. With kubelet's own rule, whoever may only `get` `nodes/proxy` can run commands over WebSocket.
 */
export function accessAttributes(method: string, path: string, opensSession: boolean): AccessAttributes {
  const verb = opensSession ? 'create' : (VERBS[method] ?? '');
  const separate = SEPARATE.find(([prefix]) => isBelow(path, prefix));
  if (separate !== undefined) return { verb, subresources: [separate[1]] };
  const fine = FINE_GRAINED.find(([prefix]) => isBelow(path, prefix));
  return { verb, subresources: fine === undefined ? ['proxy'] : [fine[1], 'proxy'] };
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

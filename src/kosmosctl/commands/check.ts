import { nodes } from '../../kube/resource.js';
import { isAllowed, type RightQuestion } from '../access-review.js';
import type { CliContext } from '../context.js';
import { findOverlap, podCidrsOf } from '../report/cidr-overlap.js';
import { bad, look, ok, printFindings, type Finding } from '../report/finding.js';
import {
  clusterUid,
  openSession,
  readAccess,
  serverVersion,
  versionProblem,
  withSessions,
  type ClusterChoice,
  type ClusterSession,
} from '../session.js';

export interface CheckOptions {
  readonly host: ClusterChoice;
  /** A cluster that is to join. */
  readonly member: ClusterChoice | undefined;
  readonly format: 'json' | 'yaml' | undefined;
}

const RBAC = 'rbac.authorization.k8s.io';
const TO_INSTALL: readonly RightQuestion[] = [
  { group: '', resource: 'namespaces', verb: 'create' },
  { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', verb: 'create' },
  { group: RBAC, resource: 'clusterroles', verb: 'create' },
  { group: RBAC, resource: 'clusterroles', verb: 'escalate' },
  { group: 'apps', resource: 'deployments', verb: 'create' },
];
const TO_JOIN: readonly RightQuestion[] = [
  { group: '', resource: 'namespaces', verb: 'create' },
  { group: '', resource: 'serviceaccounts', verb: 'create' },
  { group: '', resource: 'serviceaccounts', subresource: 'token', verb: 'create' },
  { group: RBAC, resource: 'clusterroles', verb: 'create' },
  { group: RBAC, resource: 'clusterroles', verb: 'escalate' },
];

/** Looks whether Kosmos can be installed in the host, and whether a member can join. Changes nothing. */
export async function check(options: CheckOptions, context: CliContext): Promise<void> {
  const host = openSession('host', readAccess('host', options.host, context));
  const member =
    options.member === undefined ? undefined : openSession('member', readAccess('member', options.member, context));
  const findings = await withSessions(member === undefined ? [host] : [host, member], async () => [
    ...(await checkCluster(host, TO_INSTALL, context)),
    ...(member === undefined ? [] : await checkCluster(member, TO_JOIN, context)),
    ...(member === undefined ? [] : await checkPair(host, member, context)),
  ]);
  printFindings(findings, options.format, context);
}

async function checkCluster(
  session: ClusterSession,
  rights: readonly RightQuestion[],
  { signal }: CliContext,
): Promise<readonly Finding[]> {
  const where = session.label;
  const seen = { answers: false };
  const versions = await look(where, 'version', async () => {
    const version = await serverVersion(session, signal);
    seen.answers = true;
    const problem = versionProblem(where, version);
    return problem === undefined
      ? ok(where, 'version', `Kubernetes ${version}`)
      : bad('problem', { where, what: 'version' }, problem.message, problem.cure);
  });
  // Nothing else can be found out where nobody answers.
  if (!seen.answers) return versions;
  const allowed = await look(where, 'rights', async () => {
    const missing: string[] = [];
    for (const right of rights) {
      if (!(await isAllowed(session.client, right, signal))) missing.push(`${right.verb} ${nameOf(right)}`);
    }
    if (missing.length === 0) return ok(where, 'rights', 'all that are needed');
    const cure = 'Use a kubeconfig that has them, for instance of a cluster-admin.';
    return bad('problem', { where, what: 'rights' }, `missing: ${missing.join(', ')}`, cure);
  });
  return [...versions, ...allowed];
}

function nameOf({ resource, subresource }: RightQuestion): string {
  return subresource === undefined ? resource : `${resource}/${subresource}`;
}

async function checkPair(
  host: ClusterSession,
  member: ClusterSession,
  { signal }: CliContext,
): Promise<readonly Finding[]> {
  const where = member.label;
  const identity = await look(where, 'identity', async () => {
    const [one, other] = await Promise.all([clusterUid(host, signal), clusterUid(member, signal)]);
    return one === other
      ? bad('problem', { where, what: 'identity' }, 'it is the host itself', 'Name another cluster.')
      : ok(where, 'identity', 'another cluster than the host');
  });
  const ranges = await look(where, 'pod addresses', async () => {
    const lists = await Promise.all([host, member].map(({ client }) => client.list(nodes, { signal })));
    const [ours = [], theirs = []] = lists.map(({ items }) => podCidrsOf(items));
    const overlap = findOverlap(ours, theirs);
    if (overlap === undefined) return ok(where, 'pod addresses', 'none in common with the host');
    const message = `${overlap[0]} of the host overlaps with ${overlap[1]} of the member`;
    const cure = 'Pods run all the same; only a network that joins the clusters could not tell them apart.';
    return bad('warning', { where, what: 'pod addresses' }, message, cure);
  });
  return [...identity, ...ranges];
}

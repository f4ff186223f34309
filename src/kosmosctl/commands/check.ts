import { join } from 'node:path';
import { nodes } from '../../kube/resource.js';
import { isAllowed, type RightQuestion } from '../access-review.js';
import type { CliContext } from '../context.js';
import { findOverlap, podCidrsOf } from '../report/cidr-overlap.js';
import { JournalFile } from '../network/journal-file.js';
import { NetworkCheck, type NetworkOptions, type NetworkReport } from '../network/network-check.js';
import { renderResults, renderSummary, renderTotal, summarize } from '../network/render.js';
import { renderDocument } from '../output/format.js';
import { bad, judge, look, ok, printFindings, renderFindings, worstFirst, type Finding } from '../report/finding.js';
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
  readonly format: 'json' | 'yaml' | 'wide' | undefined;
  /** How to check the network between clusters that are linked; undefined leaves that out. */
  readonly network: NetworkOptions | undefined;
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

/**
 * Looks whether Kosmos can be installed in the host, and whether a member can join, which changes nothing. Then tries the
 * network between linked clusters, with pods that are removed in the end.
 */
export async function check(options: CheckOptions, context: CliContext): Promise<void> {
  const host = openSession('host', readAccess('host', options.host, context));
  const member =
    options.member === undefined ? undefined : openSession('member', readAccess('member', options.member, context));
  await withSessions(member === undefined ? [host] : [host, member], async () => {
    const ofHost = await checkCluster(host, TO_INSTALL, context);
    const findings = [
      ...ofHost.findings,
      ...(member === undefined ? [] : (await checkCluster(member, TO_JOIN, context)).findings),
      ...(member === undefined ? [] : await checkPair(host, member, context)),
    ];
    const wanted = ofHost.answers ? options.network : undefined;
    const report = wanted && (await checkNetwork(host, wanted, context));
    if (report === undefined) printFindings(findings, options.format === 'wide' ? undefined : options.format, context);
    else printReport(findings, report, options.format, context);
  });
}

async function checkNetwork(
  host: ClusterSession,
  options: NetworkOptions,
  context: CliContext,
): Promise<NetworkReport | undefined> {
  const uid = await clusterUid(host, context.signal);
  const journal = new JournalFile(journalPath(uid, context), context);
  const head = { host: uid, from: options.floaters.hostNetwork ? 'nodes' : 'pods' } as const;
  return new NetworkCheck(host, options, journal, context).run(head);
}

/** Where programs keep what they may go on with, as the XDG specification of base directories says. */
function journalPath(uid: string, { environment, homeDirectory }: CliContext): string {
  return join(environment['XDG_STATE_HOME'] || join(homeDirectory, '.local/state'), `kosmos/check-${uid}.jsonl`);
}

function printReport(
  preflight: readonly Finding[],
  report: NetworkReport,
  format: CheckOptions['format'],
  context: CliContext,
): void {
  const { terminal } = context;
  const findings = worstFirst([...preflight, ...report.findings]);
  const { results, untried, seconds } = report;
  const summary = summarize(results);
  judge(findings, context);
  if (format === 'json' || format === 'yaml') {
    terminal.out(renderDocument({ findings, network: { summary, results, untried, seconds } }, format));
    return;
  }
  terminal.out(`${renderFindings(findings)}\n`);
  if (format === 'wide') terminal.out(`${renderResults(results)}\n`);
  if (summary.length > 0) terminal.out(`${renderSummary(summary)}\n`);
  terminal.out(renderTotal(results, untried.length, seconds));
}

async function checkCluster(
  session: ClusterSession,
  rights: readonly RightQuestion[],
  { signal }: CliContext,
): Promise<{ readonly answers: boolean; readonly findings: readonly Finding[] }> {
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
  if (!seen.answers) return { answers: false, findings: versions };
  const allowed = await look(where, 'rights', async () => {
    const missing: string[] = [];
    for (const right of rights) {
      if (!(await isAllowed(session.client, right, signal))) missing.push(`${right.verb} ${nameOf(right)}`);
    }
    if (missing.length === 0) return ok(where, 'rights', 'all that are needed');
    const cure = 'Use a kubeconfig that has them, for instance of a cluster-admin.';
    return bad('problem', { where, what: 'rights' }, `missing: ${missing.join(', ')}`, cure);
  });
  return { answers: true, findings: [...versions, ...allowed] };
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

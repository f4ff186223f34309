import { X509Certificate } from 'node:crypto';
import type { Secret as SecretObject } from '../../apis/core.js';
import { KUBELET_SERVING_LABEL } from '../../apis/names.js';
import { isRoot } from '../../clustertree/cluster/registry.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { leases, secrets } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { MANAGER } from '../manifests/labels.js';
import { deployments, findObject } from '../objects.js';
import { bad, look, ok, printFindings, type Finding } from '../report/finding.js';
import { linkFindings, memberFindings } from '../report/members.js';
import { rolloutPending } from '../rollout.js';
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

export interface DoctorOptions {
  readonly host: ClusterChoice;
  readonly namespace: string;
  readonly format: 'json' | 'yaml' | undefined;
}

/** Looks at everything and says what is wrong. Changes nothing. */
export async function doctor(options: DoctorOptions, context: CliContext): Promise<void> {
  const host = openSession('host', readAccess('host', options.host, context));
  const findings = await withSessions([host], async () => {
    const ofHost = await hostFindings(host, options.namespace, context);
    return [...ofHost, ...(await look('host', 'members', () => clusterFindings(host, context)))];
  });
  printFindings(findings, options.format, context);
}

async function clusterFindings(host: ClusterSession, context: CliContext): Promise<readonly Finding[]> {
  const { signal } = context;
  const uid = await clusterUid(host, signal);
  const { items } = await host.client.list(clusters, { signal });
  const members = items.filter((cluster) => !isRoot(cluster));
  const ofHost = items.filter(isRoot).flatMap(linkFindings);
  if (members.length === 0) return [...ofHost, ok('host', 'members', 'none has joined')];
  const ofMembers = await Promise.all(members.map((cluster) => memberFindings(host, cluster, uid, context)));
  return [...ofHost, ...ofMembers.flat()];
}

async function hostFindings(host: ClusterSession, namespace: string, context: CliContext): Promise<readonly Finding[]> {
  const { client } = host;
  const { signal } = context;
  const where = 'host';
  const parts = await Promise.all([
    look(where, 'version', async () => {
      const version = await serverVersion(host, signal);
      const problem = versionProblem(where, version);
      if (problem === undefined) return ok(where, 'version', `Kubernetes ${version}`);
      return bad('warning', { where, what: 'version' }, problem.message, problem.cure);
    }),
    look(where, 'managers', async () => {
      const deployment = await findObject(client, deployments, { namespace, name: MANAGER }, signal);
      const at = { where, what: 'managers' };
      if (deployment === undefined) {
        return bad('warning', at, `no Deployment ${namespace}/${MANAGER}`, 'Run: kosmosctl install');
      }
      const pending = rolloutPending(deployment);
      return pending === undefined
        ? ok(where, 'managers', 'all ready')
        : bad('problem', at, pending, `Look at: kubectl -n ${namespace} get pods`);
    }),
    look(where, 'leader', async () => {
      const lease = await findObject(client, leases, { namespace, name: MANAGER }, signal);
      const holder = lease?.spec?.holderIdentity;
      if (holder) return ok(where, 'leader', holder);
      return bad('problem', { where, what: 'leader' }, 'no manager leads', 'Look whether any runs, and at its log.');
    }),
    look(where, 'certificates', () => certificateFindings(host, namespace, signal)),
  ]);
  return parts.flat();
}

async function certificateFindings(
  { client }: ClusterSession,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const labelSelector = `${KUBELET_SERVING_LABEL}=true`;
  const [{ items }, now] = await Promise.all([
    client.list(secrets, { namespace, labelSelector, signal }),
    client.serverTime({ signal }),
  ]);
  const expired = items.filter((secret) => endOf(secret) < now);
  const at = { where: 'host', what: 'certificates' };
  if (expired.length === 0) return [ok(at.where, at.what, `${items.length} of kubelet APIs, all good`)];
  const names = expired.map(({ metadata }) => metadata?.name ?? '').join(', ');
  return [
    bad('problem', at, `expired or unreadable: ${names}`, 'Delete these Secrets; new ones are asked for at once.'),
  ];
}

/** Milliseconds since the epoch; -Infinity when there is no certificate that can be read. */
function endOf(secret: SecretObject): number {
  const data = secret.data?.['tls.crt'];
  if (data === undefined) return -Infinity;
  try {
    return Date.parse(new X509Certificate(Buffer.from(data, 'base64')).validTo);
  } catch {
    // What is wrong with it doesn't matter to whoever has to replace it.
    return -Infinity;
  }
}

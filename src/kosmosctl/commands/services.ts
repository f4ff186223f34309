import type { Service } from '../../apis/core.js';
import { ApiError, isForbidden, isNotFound } from '../../kube/api-error.js';
import { services } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { explainError } from '../explain-error.js';
import { CliError } from '../failure.js';
import type { Manifest } from '../manifests/installation.js';
import { openMember, requireCluster } from '../member-session.js';
import { applyObject, findObject, nameOfObject } from '../objects.js';
import { openSession, readAccess, withSessions, type ClusterChoice, type ClusterSession } from '../session.js';
import { serviceExportManifest, serviceImportManifest } from '../services/manifests.js';

export interface ServiceChoice {
  readonly host: ClusterChoice;
  readonly namespace: string;
  readonly name: string;
}

export interface ImportOptions extends ServiceChoice {
  /** Name of the member. */
  readonly cluster: string;
  /** Kubeconfig of the member; the managers' identity when absent. */
  readonly member: string | undefined;
}

/** Offers a Service of the host to other clusters. Running it again changes nothing. */
export async function exportService(options: ServiceChoice, context: CliContext): Promise<void> {
  const { namespace, name } = options;
  const host = openSession('host', readAccess('host', options.host, context));
  await withSessions([host], async () => {
    await findService(host, options, context.signal);
    await apply(host, serviceExportManifest({ namespace, name }), context);
  });
}

/** Asks for a Service of the host in a member. Running it again changes nothing. */
export async function importService(options: ImportOptions, context: CliContext): Promise<void> {
  const host = openSession('host', readAccess('host', options.host, context));
  await withSessions([host], async () => {
    const service = await findService(host, options, context.signal);
    const member = await openTarget(host, options, context);
    await withSessions([member], () => apply(member, serviceImportManifest(service), context));
  });
}

async function findService(
  { client }: ClusterSession,
  { namespace, name }: ServiceChoice,
  signal: AbortSignal,
): Promise<Service> {
  const service = await findObject(client, services, { namespace, name }, signal);
  if (service !== undefined) return service;
  throw new CliError(`there is no Service ${name} in the namespace ${namespace} of the host`, {
    cure: 'Name its namespace with --namespace.',
  });
}

async function openTarget(
  host: ClusterSession,
  { cluster: name, member: kubeconfig }: ImportOptions,
  context: CliContext,
): Promise<ClusterSession> {
  if (kubeconfig !== undefined) return openSession(`member ${name}`, readAccess('member', { kubeconfig }, context));
  const { signal } = context;
  return openMember(host, await requireCluster(host, name, signal), signal);
}

async function apply(session: ClusterSession, manifest: Manifest, { signal, terminal }: CliContext): Promise<void> {
  try {
    await applyObject(session.client, manifest, { signal });
  } catch (error) {
    throw explained(error, session, manifest);
  }
  terminal.out(`${nameOfObject(manifest)} is in ${placeOf(session)}\n`);
  terminal.err('Kosmos has no controller for it yet; what acts on it is the one that is installed there.\n');
}

function explained(error: unknown, session: ClusterSession, { kind = '' }: Manifest): unknown {
  // Of an unknown kind the API server says nothing but 404; of a missing namespace it gives details.
  if (error instanceof ApiError && isNotFound(error) && error.details === undefined) {
    return new CliError(`${placeOf(session)} knows no ${kind} (multicluster.x-k8s.io): its CRD is missing`, {
      cause: error,
      cure: 'Install the CRDs and a controller of the multi-cluster services API there; Kosmos brings neither yet.',
    });
  }
  if (error instanceof ApiError && isForbidden(error) && session.label !== 'host') {
    return new CliError(explainError(error).message, {
      cause: error,
      cure: "The managers' identity may not do this; name a kubeconfig of the member with --to-kubeconfig.",
    });
  }
  return error;
}

function placeOf({ label }: ClusterSession): string {
  return label === 'host' ? 'the host' : `the ${label.startsWith('member ') ? label : `member ${label}`}`;
}

import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import { CLEANUP_TIMEOUT_ANNOTATION, LINK_FINALIZER } from '../apis/names.js';
import { isRoot } from '../clustertree/cluster/registry.js';
import { clusters } from '../kube/kosmos-resources.js';
import type { CliContext } from './context.js';
import { CliError } from './failure.js';
import { deleteObject, findObject, listIfServed, refOf } from './objects.js';
import type { Step } from './output/steps.js';
import type { ClusterSession } from './session.js';
import { waitUntil, type Probed } from './wait.js';

/** How long a manager gets that is not waited for. */
const FORCED_LIMIT_MS = 20_000;

export interface LeaveOptions {
  /** Don't wait for a manager or agents that don't run. */
  readonly force: boolean;
  readonly waitMs: number;
}

/** The step that takes the host out of the network; its agents give the kernel back before they are removed. */
export function hostLeaves(host: ClusterSession, options: LeaveOptions, context: CliContext): Step {
  return {
    title: "Give the network of the host's nodes back",
    run: async (report) => {
      const { client } = host;
      const { signal } = context;
      const entries = (await listIfServed(client, clusters, { signal })).filter(isRoot);
      if (entries.length === 0) return 'nothing to do';
      for (const entry of entries) await leave(host, entry, { ...options, report }, context);
      return undefined;
    },
  };
}

async function leave(
  { client }: ClusterSession,
  entry: Cluster,
  { force, waitMs, report }: LeaveOptions & { readonly report: (detail: string) => void },
  { signal, clock }: CliContext,
): Promise<void> {
  const ref = refOf(entry);
  if (force) {
    const metadata = { annotations: { [CLEANUP_TIMEOUT_ANNOTATION]: '5s' } };
    await client.patch(clusters, ref, { metadata }, { type: 'merge', signal });
  }
  await deleteObject(client, clusters, ref, signal);
  const probe = async (): Promise<Probed<true>> => {
    const cluster = await findObject(client, clusters, ref, signal);
    if (cluster === undefined) return { found: true };
    const link = cluster.status?.conditions?.find(({ type }) => type === 'ClusterLinkReady');
    const pending = link?.reason === 'Leaving' ? link.message : 'no manager has begun to take it out';
    return { pending, cure: 'Look whether managers and agents run: kosmosctl doctor; or give it up with --force.' };
  };
  const timeoutMs = force ? FORCED_LIMIT_MS : waitMs;
  try {
    await waitUntil(`Cluster ${ref.name}`, probe, report, { clock, signal, timeoutMs });
  } catch (error) {
    if (!force || !(error instanceof CliError)) throw error;
    const present = await findObject(client, clusters, ref, signal);
    const finalizers = (present?.metadata?.finalizers ?? []).filter((finalizer) => finalizer !== LINK_FINALIZER);
    if (present !== undefined)
      await client.patch(clusters, ref, { metadata: { finalizers } }, { type: 'merge', signal });
  }
}

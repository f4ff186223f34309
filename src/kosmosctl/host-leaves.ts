import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import { LINK_FINALIZER } from '../apis/names.js';
import { isRoot } from '../clustertree/cluster/registry.js';
import { clusters } from '../kube/kosmos-resources.js';
import { clusterLeaves, letClusterGo } from './cluster-leaves.js';
import type { CliContext } from './context.js';
import { nameOf } from './fields.js';
import { listIfServed } from './objects.js';
import type { Step } from './output/steps.js';
import type { ClusterSession } from './session.js';
import type { Probed } from './wait.js';

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
  options: LeaveOptions & { readonly report: (detail: string) => void },
  context: CliContext,
): Promise<void> {
  const name = nameOf(entry);
  if (await clusterLeaves(client, { ...options, name, pendingOf }, context)) return;
  await letClusterGo(client, name, [LINK_FINALIZER], context.signal);
}

function pendingOf({ status }: Cluster): Probed<true> {
  const link = status?.conditions?.find(({ type }) => type === 'ClusterLinkReady');
  const pending = link?.reason === 'Leaving' ? link.message : 'no manager has begun to take it out';
  return { pending, cure: 'Look whether managers and agents run: kosmosctl doctor; or give it up with --force.' };
}

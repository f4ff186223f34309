import type { KubeObject } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { isRoot } from '../../clustertree/cluster/registry.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { namespaces, pods } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { CliError, EXIT } from '../failure.js';
import { isManaged } from '../managed-by.js';
import { hostLeaves } from '../host-leaves.js';
import { AGENT, AGENT_PODS, MANAGER, MANAGER_PODS } from '../manifests/labels.js';
import {
  customResourceDefinitions,
  daemonSets,
  deleteObject,
  deployments,
  findObject,
  listIfServed,
  refOf,
} from '../objects.js';
import { runSteps, type Step } from '../output/steps.js';
import { hostRemains, installedObjects, remnantNames } from '../remains.js';
import { openSession, readAccess, withSessions, type ClusterChoice, type ClusterSession } from '../session.js';
import { waitUntil, type Probed } from '../wait.js';
import { Unjoin } from './unjoin.js';

export interface UninstallOptions {
  readonly host: ClusterChoice;
  readonly namespace: string;
  /** Take out members that are still there. */
  readonly all: boolean;
  /** Don't wait for members that don't answer, nor for managers and agents that don't run. */
  readonly force: boolean;
  /** Look in the end whether anything is left. */
  readonly verify: boolean;
  readonly waitMs: number;
}

/** Removes Kosmos from the host. Running it again does what is still to be done. */
export async function uninstall(options: UninstallOptions, context: CliContext): Promise<void> {
  const host = openSession('host', readAccess('host', options.host, context));
  const left = await withSessions([host], async () => {
    const present = await listIfServed(host.client, clusters, { signal: context.signal });
    const members = present.filter((cluster) => !isRoot(cluster));
    const stayed = await removeMembers(members, host, options, context);
    await runSteps(context, stepsOf(host, options, context));
    return stayed;
  });
  context.terminal.err('\nKosmos is uninstalled.\n');
  for (const line of left) context.terminal.err(`left in a member: ${line}\n`);
  if (left.length > 0) context.setExitCode(EXIT.problems);
}

async function removeMembers(
  members: readonly Cluster[],
  host: ClusterSession,
  options: UninstallOptions,
  context: CliContext,
): Promise<readonly string[]> {
  const names = members.map((cluster) => refOf(cluster).name);
  if (names.length > 0 && !options.all) {
    throw new CliError(`these members are still joined: ${names.join(', ')}`, {
      cure: 'Take each out with "kosmosctl unjoin cluster", or all of them with --all.',
    });
  }
  const left: string[] = [];
  const { namespace, force, waitMs } = options;
  for (const name of names) {
    context.terminal.err(`Member ${name}\n`);
    const unjoin = new Unjoin(
      { ...{ name, namespace, force, waitMs, verify: false }, host: options.host, member: undefined },
      context,
      host,
    );
    left.push(...(await unjoin.run()).map((line) => `${name}: ${line}`));
  }
  return left;
}

function stepsOf(host: ClusterSession, options: UninstallOptions, context: CliContext): readonly Step[] {
  const { client } = host;
  const { namespace, waitMs: timeoutMs } = options;
  const { signal, clock } = context;
  const wait = { clock, signal, timeoutMs };
  return [
    hostLeaves(host, options, context),
    {
      title: 'Stop managers and agents',
      run: async (report) => {
        // A running one would make again what is removed below.
        await deleteObject(client, deployments, { namespace, name: MANAGER }, signal);
        await deleteObject(client, daemonSets, { namespace, name: AGENT }, signal);
        const probe = async (): Promise<Probed<true>> => {
          const lists = [MANAGER_PODS, AGENT_PODS].map((labelSelector) =>
            client.list(pods, { namespace, labelSelector, signal }),
          );
          const running = (await Promise.all(lists)).flatMap(({ items }) => items);
          return running.length === 0 ? { found: true } : { pending: `${running.length} still run` };
        };
        await waitUntil('managers and agents', probe, report, wait);
        return undefined;
      },
    },
    {
      title: 'Remove rights, certificates and policies',
      run: async () => {
        const objects = await installedObjects(client, namespace, signal);
        for (const { type, object } of objects) await deleteObject(client, type, refOf(object), signal);
        return `${objects.length} objects`;
      },
    },
    {
      title: 'Remove CRDs',
      run: async (report) => {
        for (const crd of context.crds()) {
          await deleteObject(client, customResourceDefinitions, refOf(crd), signal);
          const probe = gone(() => findObject(client, customResourceDefinitions, refOf(crd), signal));
          await waitUntil(refOf(crd).name, probe, report, wait);
        }
        return undefined;
      },
    },
    {
      title: `Remove the namespace ${namespace}`,
      run: async (report) => {
        const found = await findObject(client, namespaces, { name: namespace }, signal);
        if (found === undefined) return 'was done before';
        if (!isManaged(found)) return 'stays, since it was there before';
        await deleteObject(client, namespaces, { name: namespace }, signal);
        await waitUntil(
          namespace,
          gone(() => findObject(client, namespaces, { name: namespace }, signal)),
          report,
          wait,
        );
        return undefined;
      },
    },
    ...(options.verify ? [verifyStep(host, options, context)] : []),
  ];
}

function gone(find: () => Promise<KubeObject | undefined>): () => Promise<Probed<true>> {
  return async () => ((await find()) === undefined ? { found: true } : { pending: 'it is still there' });
}

function verifyStep({ client }: ClusterSession, { namespace }: UninstallOptions, context: CliContext): Step {
  const crds = context.crds().map((crd) => refOf(crd).name);
  return {
    title: 'Verify that nothing is left',
    run: async () => {
      const left = remnantNames(await hostRemains(client, namespace, crds, context.signal));
      if (left.length === 0) return 'nothing';
      throw new CliError(`still there: ${left.join(', ')}`, {
        exitCode: EXIT.problems,
        cure: 'Run the command again; what is still there then, remove with kubectl.',
      });
    },
  };
}

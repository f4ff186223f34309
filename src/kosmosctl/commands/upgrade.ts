import type { KubeObject } from '../../apis/core.js';
import type { CliContext } from '../context.js';
import { CliError } from '../failure.js';
import { shown } from '../fields.js';
import { MANAGER, VERSION_LABEL } from '../manifests/labels.js';
import { deployments, findObject } from '../objects.js';
import { requireAgreement } from '../output/agreement.js';
import { renderTable } from '../output/table.js';
import { openSession, readAccess, withSessions, type ClusterSession } from '../session.js';
import { checkStoredVersions, planChanges, type PlannedChange } from '../upgrade/plan.js';
import { install, installationOf, type InstallOptions } from './install.js';

export interface UpgradeOptions extends InstallOptions {
  /** Apply the changes without asking. */
  readonly yes: boolean;
}

/** Brings an installation to this version and these values, after it has shown what that changes. */
export async function upgrade(options: UpgradeOptions, context: CliContext): Promise<void> {
  const manifests = installationOf(options, context);
  const { terminal, signal } = context;
  const host = openSession('host', readAccess('host', options.host, context));
  const { from, planned } = await withSessions([host], async () => {
    const present = await installedVersion(host, options.namespace, signal);
    await checkStoredVersions(host, manifests, context.version, signal);
    return { from: present, planned: await planChanges(host, manifests, signal) };
  });
  if (planned.length === 0) {
    terminal.err(`everything is as Kosmos ${context.version} has it; nothing to do\n`);
    return;
  }
  const show = options.dryRun ? (text: string) => terminal.out(text) : (text: string) => terminal.err(text);
  show(renderPlan(planned));
  if (options.dryRun) return;
  if (!options.yes) {
    await requireAgreement(terminal, { to: 'the changes', question: 'Apply them?', refused: 'nothing was changed' });
  }
  try {
    await install(options, context);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const { message, cure, exitCode } = error;
    throw new CliError(message, { cure: [cure ?? [], wayBack(from)].flat().join('\n'), exitCode, cause: error });
  }
  terminal.err(`${wayBack(from)}\n`);
}

/** @throws CliError when nothing is installed there */
async function installedVersion({ client }: ClusterSession, namespace: string, signal: AbortSignal): Promise<string> {
  const found = await findObject<KubeObject>(client, deployments, { namespace, name: MANAGER }, signal);
  if (found === undefined) {
    throw new CliError(`Kosmos is not installed in the namespace ${namespace} of the host`, {
      cure: 'Name its --namespace, or run "kosmosctl install".',
    });
  }
  return shown(found.metadata?.labels?.[VERSION_LABEL], 'before');
}

function wayBack(from: string): string {
  return `To go back, run upgrade of kosmosctl ${from} with the flags of then; pods in members are not touched by either.`;
}

function renderPlan(planned: readonly PlannedChange[]): string {
  const rows = planned.flatMap(({ object, changes }) =>
    changes === undefined
      ? [[object, '(new)', '', '']]
      : changes.map(({ path, from, to }) => [object, path, from ?? '<none>', to ?? '<none>']),
  );
  return renderTable(['OBJECT', 'FIELD', 'FROM', 'TO'], rows);
}
